"""Models: one file, one model. A model sees couplings, parameters and constants, nothing else."""

from nurecoil.models.charge_radii import CHARGE_RADII as CHARGE_RADII
from nurecoil.models.dipole_portal import DIPOLE_PORTAL as DIPOLE_PORTAL
from nurecoil.models.light_scalar import LIGHT_SCALAR as LIGHT_SCALAR
from nurecoil.models.light_tensor import LIGHT_TENSOR as LIGHT_TENSOR
from nurecoil.models.light_vector import LIGHT_VECTOR as LIGHT_VECTOR
from nurecoil.models.loading import load_model as load_model
from nurecoil.models.loading import model_names as model_names
from nurecoil.models.magnetic_moments import MAGNETIC_MOMENTS as MAGNETIC_MOMENTS
from nurecoil.models.millicharges import MILLICHARGES as MILLICHARGES
from nurecoil.models.model import Model as Model
from nurecoil.models.neutron_radii import RADII_OF_NEUTRONS as RADII_OF_NEUTRONS
from nurecoil.models.nsi import NSI as NSI
from nurecoil.models.nsi_axial import NSI_AXIAL as NSI_AXIAL
from nurecoil.models.scaled_standard_model import SCALED_STANDARD_MODEL as SCALED_STANDARD_MODEL
from nurecoil.models.standard_model import STANDARD_MODEL as STANDARD_MODEL
from nurecoil.models.sterile import STERILE as STERILE
from nurecoil.models.tensor import TENSOR as TENSOR
from nurecoil.models.u1_prime import U1_PRIME as U1_PRIME
from nurecoil.models.zprime_331 import ZPRIME_331 as ZPRIME_331

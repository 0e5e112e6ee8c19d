"""The 331β model with today's data: COHERENT CsI 2021 and LAr 2020 together, for all seven β."""

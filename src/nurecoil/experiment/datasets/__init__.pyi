"""The names of the room; each is imported from its module when it is first used."""

from .client import Client as Client, fetch as fetch, file_path as file_path
from .places import (
    FileStatus as FileStatus,
    cache_directory as cache_directory,
    locate as locate,
    problem as problem,
    state as state,
    verify as verify,
)
from .registry import (
    Content as Content,
    DataFile as DataFile,
    Release as Release,
    load_release as load_release,
    release_names as release_names,
)

"""How Hydra reads the YAML files of a config folder: bounded, and none outside the folder."""

import copy
import functools
import io
from pathlib import Path

from hydra._internal.core_plugins import file_config_source
from hydra.plugins.config_source import ConfigResult, ConfigSource
from omegaconf import DictConfig, ListConfig, OmegaConf

from dltool.core.errors import ConfigError
from dltool.core.yaml_text import yaml_text


@functools.lru_cache(maxsize=1000)
def parsed(text: str) -> DictConfig | ListConfig:
    """The content of a YAML file, not to be changed; a sweep composes the same files for each of its jobs."""
    return OmegaConf.load(io.StringIO(text))


class FileConfigSource(file_config_source.FileConfigSource):
    """Hydra's source of files below a folder, for files that may come from somebody else.

    It has the name of Hydra's own, which Hydra may register later: a second class of the same name replaces nothing.
    """

    def load_config(self, config_path: str) -> ConfigResult:
        """Read one file.

        Raises:
            ConfigError: It is outside the folder, or not readable.
        """
        path = self.inside(self._normalize_file_name(config_path))
        text = yaml_text(path)
        try:
            config = copy.copy(parsed(text))  # Hydra takes the defaults list out of it.
        except ValueError as error:  # Such as a date that does not exist.
            raise ConfigError(f"{path} is not readable YAML: {error}") from error
        header = ConfigSource._get_header_dict(text[:512])
        return ConfigResult(provider=self.provider, path=f"{self.scheme()}://{self.path}", config=config, header=header)

    def is_group(self, config_path: str) -> bool:
        return self.inside(config_path).is_dir()

    def is_config(self, config_path: str) -> bool:
        return self.inside(self._normalize_file_name(config_path)).is_file()

    def inside(self, config_path: str) -> Path:
        """The path of an option, which a defaults list names.

        Raises:
            ConfigError: It is outside the folder: by `..`, as an absolute path, or by a link.
        """
        folder = Path(self.path)
        path = folder / config_path
        if ".." in Path(config_path).parts or not path.resolve().is_relative_to(folder.resolve()):
            raise ConfigError(
                f"{config_path} is outside the config folder {folder}", "name an option of the folder: group=option"
            )
        return path

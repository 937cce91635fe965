"""YAML as our files use it: safe, and a key that is written twice is an error, not a silent choice."""

from typing import Any

import yaml


class _UniqueKeys(yaml.SafeLoader):
    """PyYAML's safe loader keeps the last of two equal keys without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = key_node.value
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is there twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def read_yaml(text: str) -> object:
    """Parse one document. Raises yaml.YAMLError with line and column, for bad YAML and for duplicate keys."""
    return yaml.load(text, Loader=_UniqueKeys)  # noqa: S506 - a SafeLoader it is

from __future__ import annotations

from stresslab.experiment.columns import column_names
from stresslab.experiment.schema import json_schema
from tests.toy_scenario import ToyScenario


def _properties(name: str) -> dict[str, dict[str, object]]:
    found = json_schema(ToyScenario)["$defs"][f"tests.toy_scenario.{name}"]["properties"]
    assert found
    return found


def test_a_parameter_is_described_by_its_declaration() -> None:
    assert _properties("Traders")["leverage"] == {
        "type": "number",
        "minimum": 1,
        "maximum": 125,
        "description": "Leverage",
        "x-unit": "x",
        "default": 5.0,
    }
    assert _properties("Traders")["mode"]["enum"] == ["isolated", "cross"]
    assert _properties("Traders")["stop_loss"]["anyOf"][1] == {"type": "null"}


def test_interchangeable_parts_are_alternatives_told_apart_by_kind() -> None:
    impact = _properties("ToyScenario")["impact"]
    prefix = "#/$defs/tests.toy_scenario."
    assert impact["oneOf"][:2] == [
        {"$ref": f"{prefix}SquareRoot.square_root"},
        {"$ref": f"{prefix}Exponential.exponential"},
    ]
    assert impact["default"] == {"kind": "square_root", "coefficient": 0.7}
    assert _properties("Exponential.exponential")["kind"] == {"const": "exponential"}


def test_the_schema_of_the_package_has_every_definition_it_refers_to() -> None:
    schema = json_schema()
    references = _references(schema)
    assert len(references) > 20
    assert references <= {f"#/$defs/{name}" for name in schema["$defs"]}


def _references(node: object) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if "$ref" in node else set()
        return own.union(*map(_references, node.values()))
    return set().union(*map(_references, node)) if isinstance(node, list) else set()


def test_columns_are_the_shortest_unique_end_of_a_path() -> None:
    paths = ["scenario.shocks.a.fall", "scenario.shocks.b.fall", "scenario.x.arm", "scenario.fee"]
    assert list(column_names(paths)) == ["a.fall", "b.fall", "x.arm", "fee"]

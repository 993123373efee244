"""The list of operations is whole: each is carried out by one service, each stands at one place on the wire."""

import inspect
import re
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

from mainsequence import contract
from mainsequence.contract import categories, portfolios, routing
from mainsequence.contract.operation import Operation
from mainsequence.contract.problems import from_problem, to_problem
from mainsequence.domain.access import Actor, Role
from mainsequence.domain.categories import CategoryCreation
from mainsequence.domain.portfolios import PortfolioCreation
from mainsequence.errors import MainSequenceError, NoRouteError, PermissionDeniedError, by_code
from mainsequence.platform import services
from mainsequence.platform.platform import Platform
from mainsequence.platform.work import SERVICES
from mainsequence.settings import Settings


def operations() -> dict[str, Operation[Any, Any]]:
    modules = [import_module(f"{contract.__name__}.{module.name}") for module in iter_modules(contract.__path__)]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Operation)]
    return {operation.name: operation for operation in found}


def test_every_operation_is_carried_out_by_a_service_and_nothing_else_is() -> None:
    services.load()
    assert set(SERVICES) == set(operations())


def test_no_two_operations_stand_at_one_place() -> None:
    places = [(operation.method, operation.path) for operation in operations().values()]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("operation", operations().values(), ids=lambda operation: operation.name)
def test_a_service_takes_what_its_operation_says(operation: Operation[Any, Any]) -> None:
    services.load()
    service = SERVICES[operation.name]
    parameters = inspect.signature(service.service).parameters
    named = {name for name, each in parameters.items() if each.kind is each.KEYWORD_ONLY}
    assert named == set(re.findall(r"{(\w+)}", operation.path))
    assert operation.summary.endswith(".")
    assert not service.writes or operation.writes, "a reader may not write the registry"
    assert operation.method != "GET" or not operation.writes


def test_every_error_crosses_the_wire_as_its_own_class() -> None:
    for code, kind in by_code().items():
        there = to_problem(kind("what was found", hint="what to do", count=3))
        back = from_problem(there)
        assert (type(back), back.code, str(back)) == (kind, code, "what was found what to do")
        assert back.context == {"count": 3}
    assert isinstance(NoRouteError("none"), LookupError)


def test_every_error_class_has_a_code_of_its_own() -> None:
    def below(kind: type[MainSequenceError]) -> list[type[MainSequenceError]]:
        return [kind, *(each for child in kind.__subclasses__() for each in below(child))]

    assert len(by_code()) == len(below(MainSequenceError))


def test_a_reader_may_not_write(home: Any) -> None:
    platform = Platform.embedded(Settings(home=home))
    reader = Actor("reader", 1, Role.READER)
    platform.call(categories.CREATE, CategoryCreation(unique_identifier="u", display_name="u"))
    platform.call(routing.GET_OR_CREATE, routing.TableDeclaration(unique_identifier="t"))
    platform.call(portfolios.CREATE, PortfolioCreation(unique_identifier="p", display_name="p"))
    writing = [operation for operation in operations().values() if operation.writes]
    assert len(writing) > 10
    for operation in writing:
        path = {"key": 1} if "{key}" in operation.path else {}
        with pytest.raises(PermissionDeniedError, match=r"editor|admin|view"):
            platform.call_as(reader, operation, None, **path)
    platform.close()

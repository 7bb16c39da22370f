"""The base class of all contracts."""

from __future__ import annotations


class Contract:
    """Tests that a component's own test class inherits."""

    def test_no_inherited_test_is_overridden(self) -> None:
        """Troubleshooting: rename your test, or change the component."""
        subclass = type(self)
        for contract in subclass.__mro__:
            if contract is not subclass and issubclass(contract, Contract):
                for name in vars(contract):
                    if name.startswith("test_"):
                        is_inherited = getattr(subclass, name) is getattr(contract, name)
                        assert is_inherited, f"{subclass.__name__} overrides {name}"

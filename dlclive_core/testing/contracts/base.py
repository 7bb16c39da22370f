"""What all contracts share."""

from __future__ import annotations


class Contract:
    """Tests that a component's own test class inherits."""

    def test_the_contract_is_whole(self) -> None:
        """No inherited test was replaced. Troubleshooting: rename your test, or change the component."""
        mine = type(self)
        for contract in mine.__mro__:
            if contract is not mine and issubclass(contract, Contract):
                for name in vars(contract):
                    if name.startswith("test_"):
                        assert getattr(mine, name) is getattr(contract, name), f"{mine.__name__} overrides {name}"

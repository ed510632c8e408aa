"""A seed repeats its plan, and the plan has something of everything."""

from portal.faults import Point
from tests.services.fire.burning import AT_LEAST, EACH, NOT_FROZEN_AT, OF_THE_WEB, plan
from tests.services.fire.points import FREEZE


def test_a_seed_repeats_its_plan() -> None:
    plans = [plan(seed, 5000, 2, servers=True) for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]
    assert len(plans[0]) == AT_LEAST + 5000 // EACH


def test_there_is_something_of_everything() -> None:
    acts = plan(1, 100_000, 2, servers=True)
    assert {act.deed for act in acts} == {
        "obey", "kill", "freeze", "kill everybody", "flush the broker", "crash the database", "restart the broker",
    }  # fmt: skip
    orders = [(act.who, act.order) for act in acts if act.order]
    assert {order.point for _who, order in orders} == set(Point)
    assert all((who == "web") == (order.point in OF_THE_WEB) for who, order in orders)
    assert NOT_FROZEN_AT not in {order.point for _who, order in orders if order.deed is FREEZE}
    assert all(act.after < 100_000 for act in acts)


def test_an_embedded_portal_has_no_servers_to_crash() -> None:
    deeds = {act.deed for act in plan(1, 100_000, 1, servers=False)}
    assert not deeds & {"crash the database", "restart the broker"}

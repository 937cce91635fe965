from monitor.generate.trajectory import Trajectory


def test_a_level_holds_outside_the_knots_and_runs_straight_between_them() -> None:
    level = Trajectory(((10, 0.0), (20, 5.0), (30, 5.0)))

    assert [level.at(day) for day in (0, 10, 15, 20, 25, 99)] == [0.0, 0.0, 2.5, 5.0, 5.0, 5.0]


def test_a_single_knot_is_a_constant() -> None:
    assert Trajectory(((50, 1.5),)).at(0) == Trajectory(((50, 1.5),)).at(100) == 1.5

from ops.stack.ports import HIGHEST, LOWEST, choose


def test_the_saved_ports_are_taken_again() -> None:
    saved = {"client": 20_000, "controller": 20_001}
    assert choose(("client", "controller"), saved, taken=(), free=lambda port: True) == saved


def test_one_port_in_use_means_new_ports_for_all() -> None:
    saved = {"client": 20_000, "controller": 20_001}
    chosen = choose(("client", "controller"), saved, taken=(), free=lambda port: port not in saved.values())
    assert set(chosen) == set(saved)
    assert not set(chosen.values()) & set(saved.values())


def test_a_port_of_another_server_of_the_stack_is_not_chosen() -> None:
    taken = range(LOWEST, HIGHEST)
    assert choose(("client",), {"client": LOWEST}, taken, free=lambda port: True) == {"client": HIGHEST}


def test_the_ports_of_one_server_differ() -> None:
    names = [str(number) for number in range(50)]
    chosen = choose(names, {}, taken=(), free=lambda port: port < LOWEST + 50)
    assert sorted(chosen.values()) == list(range(LOWEST, LOWEST + 50))
    assert max(chosen.values()) < 32_768, "ports above are handed to clients"

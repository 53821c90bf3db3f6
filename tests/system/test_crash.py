"""kill -9, a database that goes away: against the ledger nothing is missing and nothing is twice."""
import socket

import pytest

from processes import wait_until
from world import World, twice


@pytest.fixture
def world(database):
    return World(database)


def all_sent(world, count):
    return lambda: world.count(state="sent") == count


def owners(database):
    """How many shards each daemon owns, by its label."""
    return dict(database.rows("SELECT w.host, count(*) FROM followup.lease AS l JOIN followup.worker AS w ON w.id = l.owner"
                              " WHERE l.expires_at > clock_timestamp() GROUP BY 1"))


def both_own(database):
    shares = owners(database)
    return len(shares) == 2 and sum(shares.values()) == 64 and min(shares.values()) >= 12


def burst(world, accounts, leads):
    made = world.accounts(accounts)
    world.leads_each(made, leads)
    world.start_everywhere(made)
    return accounts * leads


@pytest.mark.timeout(150)
def test_killed_half_way_through_five_thousand_nothing_is_missing_and_nothing_twice(world, sandbox, daemon):
    count = burst(world, 200, 25)
    one = daemon()
    sandbox.wait_for_ledger(count // 2)
    one.kill()
    left = len(sandbox.ledger())
    assert left < count, "the kill came too late to show anything"
    one.start()
    wait_until(all_sent(world, count), lambda: f"{count} are sent; ledger {len(sandbox.ledger())}", 90)
    ledger = sandbox.ledger()
    assert not twice(ledger)
    assert len(ledger) == count
    assert {row["attempts"] for row in world.messages()} == {1}, "a crash is no reason for a second key"


@pytest.mark.timeout(120)
def test_killed_again_and_again(world, sandbox, daemon):
    sandbox.put_faults([{"action": "late", "ms": 50, "rate": 0.5}])
    count = burst(world, 20, 25)
    one = daemon()
    for share in (0.1, 0.3, 0.5, 0.7):
        sandbox.wait_for_ledger(int(count * share))
        one.kill()
        one.start()
    wait_until(all_sent(world, count), "all are sent", 60)
    assert not twice(sandbox.ledger()) and len(sandbox.ledger()) == count


@pytest.mark.timeout(120)
def test_a_daemon_that_freezes_past_its_lease_sends_nothing_twice(world, database, sandbox, daemon):
    """It wakes up believing in its lease, with claims answered and POSTs half begun; another has its shards by then."""
    sandbox.put_faults([{"action": "late", "ms": 100, "rate": 1.0}])
    count = burst(world, 20, 30)
    slow = {"provider.sandbox": {"rate": "150/s"}}
    pair = {one.label: one for one in (daemon(label="left", config=slow), daemon(label="right", config=slow))}
    for share, frozen, other in ((0.1, "left", "right"), (0.3, "right", "left"), (0.5, "left", "right")):
        wait_until(lambda: both_own(database), "both have shards")
        sandbox.wait_for_ledger(int(count * share))
        pair[frozen].freeze()
        wait_until(lambda other=other: owners(database) == {other: 64}, "the other has taken over")
        pair[frozen].thaw()
    wait_until(all_sent(world, count), lambda: f"{count} are sent; ledger {len(sandbox.ledger())}", 60)
    assert not twice(sandbox.ledger()) and len(sandbox.ledger()) == count
    assert {row["attempts"] for row in world.messages()} == {1}, "a takeover is no reason for a second key"
    assert database.value("SELECT max(epoch) FROM followup.lease") >= 4, "leases changed hands three times"


@pytest.mark.timeout(120)
def test_workers_share_the_shards_and_take_over_from_each_other(world, database, sandbox, daemon):
    """A worker that comes is given its share, one that is killed or stopped leaves it to the other; nothing is lost or twice."""
    sandbox.put_faults([{"action": "late", "ms": 50, "rate": 0.5}])
    count = burst(world, 40, 30)
    slow = {"provider.sandbox": {"rate": "100/s"}}
    left = daemon(label="left", config=slow)
    wait_until(lambda: owners(database) == {"left": 64}, "alone it takes everything")
    right = daemon(label="right", config=slow)
    wait_until(lambda: both_own(database), "the second has its share")
    sandbox.wait_for_ledger(count // 4)
    left.kill()
    wait_until(lambda: owners(database) == {"right": 64}, "the dead one's shards are taken")
    left.start()
    wait_until(lambda: both_own(database), "back again it has its share again")
    right.stop()
    wait_until(lambda: owners(database) == {"left": 64}, "a stopped one's shards are taken")
    wait_until(all_sent(world, count), lambda: f"{count} are sent; ledger {len(sandbox.ledger())}", 60)
    assert not twice(sandbox.ledger()) and len(sandbox.ledger()) == count
    assert {row["attempts"] for row in world.messages()} == {1}


@pytest.mark.timeout(120)
def test_a_database_killed_in_a_burst_costs_delay_and_nothing_else(world, database, cluster, sandbox, daemon):
    count = burst(world, 20, 50)
    daemon()
    sandbox.wait_for_ledger(count // 4)
    cluster.kill()
    cluster.start()
    wait_until(all_sent(world, count), "all are sent", 60)
    assert not twice(sandbox.ledger()) and len(sandbox.ledger()) == count


REFUSE = """
    CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE {}; END $$;
    CREATE TRIGGER refuse BEFORE UPDATE ON followup.message EXECUTE FUNCTION public.refuse()"""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("condition", ["disk_full", "read_only_sql_transaction"])
def test_a_database_that_reads_and_does_not_write_costs_delay_and_nothing_else(world, database, sandbox, daemon, condition):
    """A full disk, a standby: what was claimed is posted, kept in memory and recorded later; nothing is claimed meanwhile."""
    sandbox.put_faults([{"action": "late", "ms": 50}])
    count = burst(world, 20, 25)
    one = daemon(config={"provider.sandbox": {"rate": "100/s"}})
    sandbox.wait_for_ledger(count // 10)
    database.rows(REFUSE.format(condition))
    one.wait_for_log("claim_failed")
    one.wait_for_log("results_not_recorded")
    assert world.count(state="sent") < len(sandbox.ledger()) < count, "refused too late to show anything"
    database.rows("DROP FUNCTION public.refuse() CASCADE")
    wait_until(all_sent(world, count), lambda: f"all are sent; ledger {len(sandbox.ledger())}", 60)
    assert not twice(sandbox.ledger()) and len(sandbox.ledger()) == count
    assert {row["attempts"] for row in world.messages()} == {1}


@pytest.mark.timeout(120)
def test_a_database_restored_from_a_backup_sends_nothing_twice_where_keys_are_honoured(world, database, cluster, sandbox, daemon):
    """The backup knows none of the sends. The same keys go out again, and the ids of what it does not know to nobody."""
    count = burst(world, 4, 10)
    backup = f"{database.name}_backup"
    cluster.createdb(backup, template=database.name)
    one = daemon()
    wait_until(all_sent(world, count), "all are sent")
    burst(world, 1, 5)  # sent as well, and unknown to the backup
    sandbox.wait_for_ledger(count + 5)
    one.stop()
    lost = {row["id"] for row in world.messages()}
    cluster.dropdb(database.name)
    cluster.psql("-c", f"ALTER DATABASE {backup} RENAME TO {database.name}")
    assert world.count(state="scheduled") == count
    assert sum(due for _, due in database.rows("SELECT * FROM followup.after_restore()")) == count
    burst(world, 1, 5)
    assert len({row["id"] for row in world.messages()} - lost) == 5, "a new message has a new id"
    one.start()
    wait_until(all_sent(world, count + 5), lambda: f"all are sent: {world.messages()}")
    assert not twice(sandbox.ledger()) and len(sandbox.ledger()) == count + 10
    assert sandbox.stats()["replayed"] == count


def test_a_database_that_is_away_at_the_start_is_waited_for(world, database, cluster, sandbox, daemon):
    count = burst(world, 2, 5)
    cluster.stop("immediate")
    one = daemon(start=False)
    one.launch()
    one.wait_for_log("database_not_reached")
    assert one.running and "READY=1" not in one.notify.read()
    wait_until(lambda: any(line.startswith("EXTEND_TIMEOUT_USEC=") for line in one.notify.read()), "systemd is asked to wait")
    for reloads in (1, 2):
        one.reload()
        wait_until(lambda: one.log().count("configuration_reloaded") == reloads, "it reads its configuration again")
    assert "READY=1" not in one.notify.read(), "and is not ready by that"
    cluster.start()
    sandbox.wait_for_ledger(count)
    wait_until(lambda: "READY=1" in one.notify.read(), "it says that it is ready")
    assert one.notify.read().count("READY=1") == 1


def test_a_stop_lets_posts_end_and_records_them(world, sandbox, daemon):
    sandbox.put_faults([{"action": "late", "ms": 150}])
    count = burst(world, 2, 10)
    one = daemon()
    sandbox.wait_for_ledger(1)
    one.stop()
    accepted = len(sandbox.ledger())
    assert world.count(state="sent") == accepted
    assert world.count(state="scheduled") == count - accepted
    one.start()
    wait_until(all_sent(world, count), "the rest is sent")
    assert not twice(sandbox.ledger()) and len(sandbox.ledger()) == count


@pytest.mark.parametrize("fault", ["429", "503", "500", "garbage", "cut", "cut_before", "silent", "401"])
def test_a_provider_in_trouble_costs_delay_and_nothing_else(world, sandbox, daemon, fault):
    rule = {"action": fault, "count": 5}
    sandbox.put_faults([{**rule, "retry_after_s": 1} if fault in ("429", "503") else rule])
    count = burst(world, 4, 10)
    daemon()
    wait_until(all_sent(world, count),
               lambda: f"all are sent: {[(row['id'], row['state'], row['detail']) for row in world.messages()]}", 45)
    assert not twice(sandbox.ledger()) and len(sandbox.ledger()) == count
    assert sandbox.stats()["faults"][fault] == 5


def test_a_database_host_that_says_nothing_is_passed_over(database, cluster, daemon):
    """Of two in conninfo the first takes connections and is silent, as a host that is off behind a router is."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hosts = f"host=127.0.0.1,{cluster.socket_folder} port={silent.getsockname()[1]},5432"
        one = daemon(conninfo=f"{hosts} sslmode=disable user=postgres dbname={database.name}")
    assert one.log().count("database_not_reached") == 1

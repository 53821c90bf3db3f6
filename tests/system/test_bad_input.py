"""Bad input is named, with its place, and nothing is lost."""
import datetime as dt
import socket
import threading

import psycopg
import pytest

from processes import wait_until
from world import World


@pytest.fixture
def world(database):
    return World(database)


@pytest.mark.parametrize("section,key,value,named", [
    ("engine", "hoirzon", "72h", ["hoirzon"]),
    ("engine", "sweep", "5", ["sweep", "unit"]),
    ("engine", "sweep", "5 apples", ["sweep"]),
    ("engine", "in_flight_max", "-3", ["in_flight_max"]),
    ("provider.sandbox", "type", "pigeon", ["type", "pigeon"]),
    ("engine", "provider", "nobody", ["nobody"]),
    ("provider.sandbox", "key_file", "no-such-file", ["key_file", "no-such-file"]),
])
def test_a_wrong_configuration_names_file_line_and_key(daemon, section, key, value, named):
    one = daemon(start=False, config={section: {key: value}})
    one.launch()
    assert one.wait() not in (0, None)
    line = 1 + [text.split("=")[0] for text in one.config_path.read_text().splitlines()].index(key)
    complaint = one.log()
    assert f"{one.config_path}:{line}" in complaint, complaint
    for word in named:
        assert word in complaint, complaint


def test_another_schema_version_is_named_and_refused(database, daemon):
    database.rows("INSERT INTO followup.migration (version, name) VALUES (9999, 'from the future')")
    one = daemon(start=False)
    one.launch()
    assert one.wait() != 0
    assert "9999" in one.log()


def pooler(server):
    """A socket between, that tells its clients numbers of its own for the server's processes, as every pooler does."""
    def pass_on(source, sink, told):
        while piece := source.recv(65536):
            at = piece.find(b"K\0\0\0\x0c") if told else -1
            sink.sendall(piece if at < 0 else piece[:at + 5] + b"\0\0\0\x07" + piece[at + 9:])
        sink.shutdown(socket.SHUT_WR)

    def serve():
        while True:
            client, _ = listener.accept()
            backend = socket.socket(socket.AF_UNIX)
            backend.connect(f"{server.socket_folder}/.s.PGSQL.5432")
            for ends in ((client, backend, False), (backend, client, True)):
                threading.Thread(target=pass_on, args=ends, daemon=True).start()

    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def test_a_pooler_before_the_database_is_refused(cluster, database, daemon):
    one = daemon(start=False, conninfo=f"host=127.0.0.1 port={pooler(cluster)} sslmode=disable user=postgres dbname={database.name}")
    one.launch()
    assert one.wait() == 1
    assert "database_refused" in one.log() and "pooler" in one.log()


def test_a_merge_tag_without_a_value_fails_that_message_with_a_reason(world, database, sandbox, daemon):
    account = world.account()
    database.rows("UPDATE followup.step SET body_text = 'Hi {{nickname}},'")
    nameless, named = world.leads(account, 2)
    database.rows("UPDATE followup.lead SET fields = '{\"nickname\": \"Bo\"}' WHERE id = %s", named)
    world.act("start_follow_up", account, [nameless, named])
    daemon()
    [entry] = sandbox.wait_for_ledger(1)
    assert entry["text"].startswith("Hi Bo,")
    wait_until(lambda: world.count(lead_id=nameless, state="failed") == 1, "the other failed")
    assert "nickname" in world.messages(lead_id=nameless)[0]["detail"]
    assert len(sandbox.ledger()) == 1


def test_an_unknown_zone_falls_back_to_the_accounts_and_is_reported(world, database, sandbox, daemon):
    hours = 12 - dt.datetime.now(dt.timezone.utc).hour or 1    # a zone where it is about noon, and not UTC
    account = world.account(timezone=f"Etc/GMT{-hours:+d}")    # the signs of POSIX
    half_an_hour = dt.timedelta(minutes=30)
    noon = dt.datetime.now(dt.timezone(dt.timedelta(hours=hours)))
    database.rows("INSERT INTO followup.send_window SELECT %s, d, %s, %s FROM generate_series(1, 7) AS d", account,
                  (noon - half_an_hour).time(), (noon + half_an_hour).time())
    odd, utc = database.rows("INSERT INTO followup.lead (account_id, email, timezone) VALUES (%s, 'odd@zone.example',"
                             " 'Mars/Olympus'), (%s, 'utc@zone.example', 'UTC') RETURNING id", account, account)
    world.act("start_follow_up", account, [odd[0], utc[0]])
    daemon()
    sandbox.wait_for_ledger(1)
    assert [entry["to"] for entry in sandbox.ledger()] == ["odd@zone.example"], "in UTC the window is shut"
    [[lead, note]] = database.rows("SELECT lead_id, note FROM followup.activity WHERE action = 'unknown_timezone'")
    assert lead == odd[0] and "Mars/Olympus" in note


@pytest.mark.parametrize("table,column", [("step", "subject"), ("assistant", "from_address"), ("assistant", "name"),
                                          ("lead", "email"), ("lead", "first_name")])
@pytest.mark.parametrize("text", ["a@b.example\r\nBcc: all@b.example", "a@b.example\nX: y", "a@b.example\x01"])
def test_what_becomes_a_header_cannot_hold_a_line_break(world, database, table, column, text):
    world.leads(world.account(), 1)
    with pytest.raises(psycopg.errors.CheckViolation):
        database.rows(f"UPDATE followup.{table} SET {column} = %s", text)


def test_a_line_break_from_a_merge_value_is_caught_on_the_way_out(world, database, sandbox, daemon):
    account = world.account()
    database.rows("UPDATE followup.step SET subject = 'About {{topic}}'")
    [lead] = world.leads(account)
    database.rows("UPDATE followup.lead SET fields = jsonb_build_object('topic', E'cars\\r\\nBcc: all@b.example')")
    world.act("start_follow_up", account, [lead])
    daemon()
    wait_until(lambda: world.count(state="failed") == 1, "it failed")
    assert sandbox.ledger() == [] and "subject" in world.messages()[0]["detail"]

// graphile-worker as a user would run it for this job, with the fast settings of its own performance page: a local queue
// of 500, completions batched, concurrency as ours. It deletes a finished job; `work` therefore also inserts one row a
// sent message (its id, the provider's id, the time), the least that an application needs to know that it was sent.
// From the project's peer benchmark.
//
//     graphile.mjs setup|enqueue|work|sent     environment: N, RATE, LEAD, PEER_PG, PEER_PROVIDER, PEER_CONC (bench/README.md)
import pg from "pg";
import { Pool } from "undici";
import { Logger, makeWorkerUtils, run } from "graphile-worker";

const num = (name, otherwise) => Number(process.env[name] ?? otherwise);
const N = num("N"), RATE = num("RATE", 0), LEAD = num("LEAD", 10), CONC = num("PEER_CONC", 64);
const { PEER_PG: connectionString, PEER_PROVIDER } = process.env;
const logger = new Logger(() => () => {});

async function query(text) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const { rows } = await client.query(text);
  await client.end();
  return rows;
}

async function setup() {
  await query("drop schema if exists graphile_worker cascade; drop table if exists sent; " +
    "create table sent (message_id text primary key, provider_id text, sent_at timestamptz default now())");
  const utils = await makeWorkerUtils({ connectionString, logger });
  await utils.migrate();
  await utils.release();
}

// About 1 KB of JSON, stored with the job. One burst at t0, or RATE a second from t0 on, in shuffled order (7919 is prime to N).
const pad = "x".repeat(820);
const message = (i, due) => ({
  message_id: `m-${i}`, due_ms: due, from: "Shop <no-reply@shop.example>", to: `user${i}@customer.example`,
  subject: "A follow-up on your order", text: pad,
});

async function enqueue() {
  const utils = await makeWorkerUtils({ connectionString, logger });
  const started = performance.now(), t0 = Date.now() + LEAD * 1000;
  for (let first = 0; first < N; first += 5000) {
    const chunk = [];
    for (let i = first; i < Math.min(first + 5000, N); i++) {
      const due = RATE ? t0 + Math.floor((((i * 7919) % N) * 1000) / RATE) : t0;
      chunk.push({ identifier: "email", payload: message(i, due), runAt: new Date(due) });
    }
    await utils.addJobs(chunk);
  }
  console.log(JSON.stringify({ enqueue_s: (performance.now() - started) / 1000, t0_ms: t0 }));
  await utils.release();
}

async function work() {
  const provider = new Pool(PEER_PROVIDER, { connections: CONC, pipelining: 1 });
  const database = new pg.Pool({ connectionString, max: 10 });
  const headers = { "content-type": "application/json" };
  const email = async (body) => {
    const answer = await provider.request({ method: "POST", path: "/send", headers, body: JSON.stringify(body) });
    const { id } = await answer.body.json();
    if (answer.statusCode !== 202) throw new Error(`the provider said ${answer.statusCode}`);
    await database.query({ name: "sent", text: "insert into sent (message_id, provider_id) values ($1, $2)", values: [body.message_id, id] });
  };
  const preset = { worker: {
    connectionString, concurrentJobs: CONC, maxPoolSize: 10, pollInterval: 100, logger,
    localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0,
  } };
  const runner = await run({ preset, taskList: { email }, noHandleSignals: true });
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, async () => { await runner.stop().catch(() => {}); process.exit(0); });
}

// What is committed: rows recorded, and jobs not finished.
const sent = async () => console.log(JSON.stringify((await query(
  "select (select count(distinct provider_id) from sent)::integer as sent, (select count(*) from graphile_worker._private_jobs)::integer as unfinished"))[0]));

await { setup, enqueue, work, sent }[process.argv[2]]();

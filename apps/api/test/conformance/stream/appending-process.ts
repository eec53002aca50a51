/** A producer in a process of its own. Says `ready`, and on each line it is told appends one batch of that size and answers with the result. */
import { createInterface } from 'node:readline';
import { liveEvents } from './entries.ts';
import { loadStreamAdapter } from './stream-adapter.ts';

const [modulePath, place, name] = process.argv.slice(2) as [string, string, string];
const adapter = await loadStreamAdapter(modulePath);
const stream = await adapter.open(place);
const say = (answer: unknown): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);

let appended = 0;
say('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const count = Number(line);
  say(await stream.producer.append(liveEvents(name, count, appended)));
  appended += count;
}
await stream.close();

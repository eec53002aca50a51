/** Readers of the event stream by the hundred, as bare sockets: what they cost is the api's, and as little as can be of this process. */
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { StartedSystem } from '../apps/api/test/system/started-system.ts';

export interface EventClients {
  /** Of each client, `telemetry` events since the last call. */
  telemetryEvents(): number[];
  bytes(): number;
  open(): number;
  close(): void;
}

const TELEMETRY = '\nevent: telemetry\n';
/** A token may make 200 requests a second. */
const PER_ROUND = 50;
const ROUND_MS = 350;

/** Resolves when all of them are answered. */
export async function eventClients(
  system: Pick<StartedSystem, 'url' | 'adminToken'>,
  count: number,
): Promise<EventClients> {
  const clients: Client[] = [];
  for (let left = count; left > 0; left -= PER_ROUND) {
    const round = Array.from({ length: Math.min(left, PER_ROUND) }, () => openClient(system));
    clients.push(...(await Promise.all(round)));
    await delay(ROUND_MS);
  }
  return {
    telemetryEvents: () =>
      clients.map((client) => {
        const { events } = client;
        client.events = 0;
        return events;
      }),
    bytes: () => clients.reduce((sum, { bytes }) => sum + bytes, 0),
    open: () => clients.filter(({ socket }) => !socket.destroyed).length,
    close: () => {
      for (const { socket } of clients) socket.destroy();
    },
  };
}

interface Client {
  readonly socket: Socket;
  events: number;
  bytes: number;
}

function openClient({ url, adminToken }: Pick<StartedSystem, 'url' | 'adminToken'>): Promise<Client> {
  const { hostname, port, host } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    const client: Client = { socket, events: 0, bytes: 0 };
    socket.setEncoding('latin1');
    socket.once('connect', () =>
      socket.write(
        `GET /v1/events HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${adminToken}\r\naccept: text/event-stream\r\n\r\n`,
      ),
    );
    socket.once('data', (head: string) => {
      if (head.startsWith('HTTP/1.1 200')) resolve(client);
      else reject(new Error(`no event stream: ${head.slice(0, 200)}`));
    });
    socket.on('data', (text: string) => {
      client.bytes += text.length;
      for (let at = text.indexOf(TELEMETRY); at >= 0; at = text.indexOf(TELEMETRY, at + TELEMETRY.length))
        client.events += 1;
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the event stream was closed')));
  });
}

/**
 * Frames of the PostgreSQL wire protocol (version 3), as far as a server in front of one engine must know them:
 * where a client's *message group* ends, and which names in it are the client's own.
 *
 * A group is everything a client sends up to and including a message that the engine answers: Query, Sync, Flush or
 * FunctionCall. Groups, not messages, are handed to the engine: all connections share one session, so another
 * connection's Parse between this one's Parse and Bind would replace the unnamed statement under its feet.
 *
 * https://www.postgresql.org/docs/18/protocol-message-formats.html
 */
const CODE_CANCEL = 80877102;
const CODE_SSL = 80877103;
const CODE_GSS = 80877104;
const STARTUP_LENGTH_MAX_BYTES = 10_000; // PostgreSQL's own MAX_STARTUP_PACKET_LENGTH
/** Above what a batch of 2,000 rows needs by two orders; a client that announces more is cut off, not buffered. */
const GROUP_LENGTH_MAX_BYTES = 64 * 1024 * 1024;

const byte = (letter: string): number => letter.charCodeAt(0);
const QUERY = byte('Q');
const PARSE = byte('P');
const BIND = byte('B');
const DESCRIBE = byte('D');
const CLOSE = byte('C');
const SYNC = byte('S');
const FLUSH = byte('H');
const FUNCTION_CALL = byte('F');
const TERMINATE = byte('X');

export type Frame =
  | { kind: 'encryption-request' }
  | { kind: 'cancel' }
  | { kind: 'startup' }
  | { kind: 'terminate' }
  | { kind: 'group'; bytes: Buffer };

export class WireProtocolError extends Error {}

/** Cuts a byte stream into frames. Bytes are joined only once enough have come, so a long message costs one copy. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  #neededBytes = 8;
  #scannedBytes = 0;
  #started = false;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
  }

  /** @throws WireProtocolError when the stream cannot be one of this protocol */
  next(): Frame | null {
    if (this.#heldBytes < this.#neededBytes) return null;
    const held = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#chunks = [held];
    return this.#started ? this.#nextGroup(held) : this.#nextStartup(held);
  }

  #nextStartup(held: Buffer): Frame | null {
    const lengthBytes = held.readInt32BE(0);
    if (lengthBytes < 8 || lengthBytes > STARTUP_LENGTH_MAX_BYTES)
      throw new WireProtocolError('not a startup packet');
    if (held.length < lengthBytes) return this.#wait(lengthBytes);
    const code = held.readInt32BE(4);
    this.#drop(held, lengthBytes, 8);
    if (code === CODE_SSL || code === CODE_GSS) return { kind: 'encryption-request' };
    if (code === CODE_CANCEL) return { kind: 'cancel' };
    if (code >> 16 !== 3) throw new WireProtocolError(`protocol ${code >> 16} is not spoken here`);
    this.#started = true;
    this.#neededBytes = 5;
    return { kind: 'startup' };
  }

  #nextGroup(held: Buffer): Frame | null {
    for (;;) {
      const at = this.#scannedBytes;
      if (held.length < at + 5) return this.#wait(at + 5);
      const end = at + 1 + held.readInt32BE(at + 1);
      if (end < at + 5 || end > GROUP_LENGTH_MAX_BYTES)
        throw new WireProtocolError('a message of impossible length');
      if (held.length < end) return this.#wait(end);
      this.#scannedBytes = end;
      const type = held[at];
      if (type === TERMINATE) return { kind: 'terminate' };
      if (type === QUERY || type === SYNC || type === FLUSH || type === FUNCTION_CALL) {
        const bytes = held.subarray(0, end);
        this.#drop(held, end, 5);
        return { kind: 'group', bytes };
      }
    }
  }

  #wait(neededBytes: number): null {
    this.#neededBytes = neededBytes;
    return null;
  }

  #drop(held: Buffer, bytes: number, neededBytes: number): void {
    const rest = held.subarray(bytes);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#heldBytes = rest.length;
    this.#scannedBytes = 0;
    this.#neededBytes = neededBytes;
  }
}

/**
 * The group with `prefix` before every named prepared statement, so that the same name on two connections means two
 * statements although the engine knows one session. Adds to `named` what the group prepares.
 */
export function ownStatementNames(group: Buffer, prefix: string, named: Set<string>): Buffer {
  const parts: Buffer[] = [];
  let copied = 0;
  forEachMessage(group, (type, start, end) => {
    const nameAt = statementNameAt(group, type, start);
    if (nameAt === null || group[nameAt] === 0) return;
    const nameEnd = group.indexOf(0, nameAt);
    if (nameEnd < 0 || nameEnd >= end) throw new WireProtocolError('a name without an end');
    if (type === PARSE) named.add(prefix + group.toString('utf8', nameAt, nameEnd));
    const header = Buffer.alloc(5);
    header[0] = type;
    header.writeInt32BE(end - start - 1 + prefix.length, 1);
    parts.push(group.subarray(copied, start), header, group.subarray(start + 5, nameAt), Buffer.from(prefix));
    copied = nameAt;
  });
  return parts.length === 0 ? group : Buffer.concat([...parts, group.subarray(copied)]);
}

function statementNameAt(group: Buffer, type: number, start: number): number | null {
  if (type === PARSE) return start + 5;
  if (type === BIND) return group.indexOf(0, start + 5) + 1; // after the portal's name
  if ((type === DESCRIBE || type === CLOSE) && group[start + 5] === SYNC) return start + 6; // 'S': a statement
  return null;
}

/** The SQL texts of a group, from Query and Parse messages. */
export function sqlTexts(group: Buffer): string[] {
  const texts: string[] = [];
  forEachMessage(group, (type, start) => {
    if (type !== QUERY && type !== PARSE) return;
    const from = type === QUERY ? start + 5 : group.indexOf(0, start + 5) + 1;
    texts.push(group.toString('utf8', from, group.indexOf(0, from)));
  });
  return texts;
}

function forEachMessage(group: Buffer, visit: (type: number, start: number, end: number) => void): void {
  for (let start = 0; start < group.length; ) {
    const end = start + 1 + group.readInt32BE(start + 1);
    visit(group[start] as number, start, end);
    start = end;
  }
}

/** How an answer leaves the session: `null` while the engine has not said ReadyForQuery (after Flush). */
export function sessionStatus(answer: Buffer): 'I' | 'T' | 'E' | null {
  const at = answer.length - 6;
  if (at < 0 || answer[at] !== byte('Z') || answer.readInt32BE(at + 1) !== 5) return null;
  return String.fromCharCode(answer[at + 5] as number) as 'I' | 'T' | 'E';
}

export function queryMessage(sql: string): Buffer {
  return message('Q', Buffer.from(`${sql}\0`));
}

export function closeStatementMessage(name: string): Buffer {
  return Buffer.concat([message('C', Buffer.from(`S${name}\0`)), message('S', Buffer.alloc(0))]);
}

export function startupMessage(): Buffer {
  const body = Buffer.from(
    '\0\x03\0\0user\0postgres\0database\0postgres\0client_encoding\0UTF8\0\0',
    'latin1',
  );
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([length, body]);
}

export function fatalMessage(sqlState: string, text: string): Buffer {
  return message('E', Buffer.from(`SFATAL\0VFATAL\0C${sqlState}\0M${text}\0\0`));
}

/** The first column of the first row of an answer in text format, or null. */
export function firstValue(answer: Buffer): string | null {
  let value: string | null = null;
  forEachMessage(answer, (type, start) => {
    if (type !== byte('D') || value !== null) return;
    const lengthBytes = answer.readInt32BE(start + 7);
    value = lengthBytes < 0 ? null : answer.toString('utf8', start + 11, start + 11 + lengthBytes);
  });
  return value;
}

function message(type: string, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header[0] = byte(type);
  header.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

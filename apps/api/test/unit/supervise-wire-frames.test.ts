import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  closeStatementMessage,
  type Frame,
  FrameReader,
  ownStatementNames,
  queryMessage,
  sessionStatus,
  sqlTexts,
  startupMessage,
  WireProtocolError,
} from '../../src/supervise/embedded-postgres/wire-frames.ts';

function message(type: string, body: string): Buffer {
  const header = Buffer.alloc(5);
  header.write(type);
  header.writeInt32BE(Buffer.byteLength(body) + 4, 1);
  return Buffer.concat([header, Buffer.from(body)]);
}
const parse = (name: string, sql: string): Buffer => message('P', `${name}\0${sql}\0\0\0`);
const bind = (name: string): Buffer => message('B', `\0${name}\0\0\0\0\0\0\0`);
const SYNC = message('S', '');

function read(chunks: Buffer[]): Frame[] {
  const reader = new FrameReader();
  const frames: Frame[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let frame = reader.next(); frame !== null; frame = reader.next()) frames.push(frame);
  }
  return frames;
}

describe('frames of the wire protocol', () => {
  const groups = [
    Buffer.concat([parse('', 'select $1'), bind(''), message('E', '\0\0\0\0\0'), SYNC]),
    queryMessage('select 1'),
    Buffer.concat([parse('', `select '${'x'.repeat(5_000)}'`), message('H', '')]),
    SYNC,
  ];
  const bytes = Buffer.concat([startupMessage(), ...groups, message('X', '')]);

  it('are the same however the bytes are cut', () => {
    const whole = read([bytes]);
    expect(whole.map(({ kind }) => kind)).toEqual([
      'startup',
      'group',
      'group',
      'group',
      'group',
      'terminate',
    ]);
    expect(whole.flatMap((frame) => (frame.kind === 'group' ? [frame.bytes] : []))).toEqual(groups);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 30 }), (cuts) => {
        const at = [0, ...cuts, bytes.length].sort((a, b) => a - b);
        expect(read(at.slice(1).map((end, index) => bytes.subarray(at[index], end)))).toEqual(whole);
      }),
    );
    expect(read([...bytes].map((one) => Buffer.from([one])))).toEqual(whole);
  });

  it('refuse what is not the protocol', () => {
    expect(() => read([Buffer.from('GET / HTTP/1.1\r\n')])).toThrow(WireProtocolError);
    expect(() => read([startupMessage(), Buffer.from([0x51, 0x7f, 0xff, 0xff, 0xff])])).toThrow(
      WireProtocolError,
    );
    expect(() => read([startupMessage(), Buffer.from([0x51, 0, 0, 0, 1])])).toThrow(WireProtocolError);
  });

  it('survive garbage: only a protocol error is ever thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (garbage) => {
        try {
          read([startupMessage(), Buffer.from(garbage)]);
        } catch (error) {
          expect(error).toBeInstanceOf(WireProtocolError);
        }
      }),
    );
  });
});

describe('names of prepared statements', () => {
  it('become the connection’s own, in Parse, Bind, Describe and Close; unnamed ones and portals stay', () => {
    const named = new Set<string>();
    const given = Buffer.concat([
      parse('a', 'select 1'),
      bind('a'),
      message('D', 'Sa\0'),
      message('D', 'P\0'),
      message('C', 'Sa\0'),
      SYNC,
    ]);
    const wanted = Buffer.concat([
      ...[
        parse('7.a', 'select 1'),
        bind('7.a'),
        message('D', 'S7.a\0'),
        message('D', 'P\0'),
        message('C', 'S7.a\0'),
        SYNC,
      ],
    ]);
    expect(ownStatementNames(given, '7.', named)).toEqual(wanted);
    expect([...named]).toEqual(['7.a']);
    const unnamed = Buffer.concat([parse('', 'select 1'), bind(''), SYNC]);
    expect(ownStatementNames(unnamed, '7.', named)).toBe(unnamed);
    expect(closeStatementMessage('7.a')).toEqual(Buffer.concat([message('C', 'S7.a\0'), SYNC]));
  });

  it('finds the SQL of Query and Parse', () => {
    expect(sqlTexts(Buffer.concat([parse('n', 'select 1'), SYNC]))).toEqual(['select 1']);
    expect(sqlTexts(queryMessage('select 2'))).toEqual(['select 2']);
  });
});

describe('the session after an answer', () => {
  it.each(['I', 'T', 'E'])('is %s when the answer ends in it', (status) => {
    expect(sessionStatus(Buffer.concat([message('C', 'x\0'), message('Z', status)]))).toBe(status);
  });

  it('is unknown without ReadyForQuery', () => {
    expect(sessionStatus(message('1', ''))).toBeNull();
    expect(sessionStatus(Buffer.alloc(0))).toBeNull();
  });
});

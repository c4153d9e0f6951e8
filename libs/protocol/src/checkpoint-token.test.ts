import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { brandAs, type Seq } from './ids.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, limits } from './index.ts';

const uuid = '0b52ad5c-9d0f-4d43-8f13-7a0fdc3b3a7e';

function checkpoint(seqs: readonly number[], rest: Partial<Record<keyof Checkpoint, unknown>> = {}): Checkpoint {
  return { historyId: uuid, position: { epoch: 1, seqs }, ...rest } as unknown as Checkpoint;
}

function checkpoints(): fc.Arbitrary<Checkpoint> {
  const seq = fc.oneof(fc.nat(300), fc.maxSafeNat());
  const historyId = fc.oneof(fc.uuid(), fc.string({ minLength: 1, maxLength: 64, unit: 'grapheme' }));
  const name = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
  const hex = (length: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
  const key = fc.oneof(
    fc.string({ minLength: 1, maxLength: 120, unit: 'grapheme' }),
    hex(24).map((id) => `\u0000o${id}`),
    fc.uuid().map((id) => `\u0000u${id}`),
  );
  const listing = fc.record({
    collection: name.filter((text) => !/^\.|\.$|\$|\0/.test(text)),
    after: fc.option(key, { nil: undefined }),
  });
  return fc.integer({ min: 1, max: 20 }).chain((lanes) => {
    const seqs = fc.array(seq, { minLength: lanes, maxLength: lanes });
    return fc
      .record(
        {
          historyId,
          position: fc.record({ epoch: fc.integer({ min: 1, max: 2 ** 40 }), seqs }),
          wholeThrough: seqs,
          listing,
          rights: hex(16),
        },
        { requiredKeys: ['historyId', 'position'] },
      )
      .map((value) => value as unknown as Checkpoint);
  });
}

const body = (token: string) => Buffer.from(token.slice(2), 'base64url');
const tokenOf = (bytes: Uint8Array) => `1.${Buffer.from(bytes).toString('base64url')}`;

describe('the token of a checkpoint', () => {
  it('comes back as the checkpoint that it was made of', () => {
    fc.assert(
      fc.property(checkpoints(), (value) => expect(decodeCheckpoint(encodeCheckpoint(value))).toEqual(value)),
      { numRuns: 500 },
    );
  });

  it('is the only one of its checkpoint: what decodes encodes to the same text', () => {
    const tampered = fc.tuple(checkpoints(), fc.nat(), fc.nat(255)).map(([value, place, byte]) => {
      const bytes = body(encodeCheckpoint(value));
      bytes[place % bytes.length] = byte;
      return tokenOf(bytes);
    });
    fc.assert(
      fc.property(tampered, (token) => {
        const decoded = decodeCheckpoint(token);
        if (decoded !== undefined) expect(encodeCheckpoint(decoded)).toBe(token);
      }),
      { numRuns: 1_000 },
    );
  });

  it('never throws, whatever it is given', () => {
    const bytes = fc.uint8Array({ maxLength: 80 }).map(tokenOf);
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map((rest) => `1.${rest}`),
      bytes,
    );
    fc.assert(
      fc.property(text, (token) => {
        const decoded = decodeCheckpoint(token);
        if (decoded !== undefined) expect(encodeCheckpoint(decoded)).toBe(token);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(['', '1', '1.', '.', '1.=', '1.a b', '1.é', '1.____', '1.AA==', '1.AAA=', `1.${'A'.repeat(50_000)}`])(
    'is not %p',
    (token) => {
      expect(decodeCheckpoint(token)).toBeUndefined();
    },
  );

  it('cannot be cut short or made longer', () => {
    const bytes = body(
      encodeCheckpoint(checkpoint([1, 200, 70_000], { listing: { collection: 'tasks', after: 'k' } })),
    );
    for (let length = 0; length < bytes.length; length++)
      expect(decodeCheckpoint(tokenOf(bytes.subarray(0, length)))).toBeUndefined();
    expect(decodeCheckpoint(tokenOf(Buffer.concat([bytes, Buffer.of(0)])))).toBeUndefined();
  });

  it('stands still: these tokens are with clients and in tide tables', () => {
    expect(encodeCheckpoint(checkpoint([0]))).toBe('1.AQtSrVydD01DjxN6D9w7On4BAQA');
    const full = checkpoint([1, 300, 2 ** 40], {
      wholeThrough: [2, 300, 2 ** 41],
      listing: { collection: 'tasks', after: '\u0000o0123456789abcdef01234567' },
    });
    const token = '1.DwtSrVydD01DjxN6D9w7On4BAwGsAoCAgICAIAKsAoCAgICAQAV0YXNrcxoAbzAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nw';
    expect(encodeCheckpoint(full)).toBe(token);
    expect(decodeCheckpoint(token)).toEqual(full);
    const mine = checkpoint([0], { rights: '0123456789abcdef' });
    expect(encodeCheckpoint(mine)).toBe('1.EQtSrVydD01DjxN6D9w7On4BAQABI0VniavN7w');
    expect(decodeCheckpoint('1.EQtSrVydD01DjxN6D9w7On4BAQABI0VniavN7w')).toEqual(mine);
  });

  it('is none of this server when its version is another', () => {
    const token = encodeCheckpoint(checkpoint([5]));
    for (const version of ['0.', '2.', '10.', '', '1', ' 1.', '١.'])
      expect(decodeCheckpoint(version + token.slice(2))).toBeUndefined();
  });

  it('is short, because it travels with every sync:changes', () => {
    expect(encodeCheckpoint(checkpoint([1_000_000])).length).toBeLessThanOrEqual(32);
    expect(encodeCheckpoint(checkpoint(new Array(8).fill(1_000_000))).length).toBeLessThanOrEqual(64);
  });

  it('fits its limit however many lanes there are', () => {
    const seqs = new Array<number>(1024).fill(Number.MAX_SAFE_INTEGER);
    const historyId = 'ä'.repeat(64);
    const token = encodeCheckpoint(checkpoint(seqs, { historyId, wholeThrough: seqs }));
    expect(token.length).toBeLessThanOrEqual(limits.checkpoint);
    expect(decodeCheckpoint(token)?.wholeThrough).toEqual(seqs);
  });

  it('keeps a history id that is not a UUID, or one in capitals, as it is', () => {
    for (const historyId of ['h', 'main', uuid.toUpperCase(), `${uuid}0`, 'históriä'])
      expect(decodeCheckpoint(encodeCheckpoint(checkpoint([1], { historyId })))?.historyId).toBe(historyId);
  });

  describe('refuses', () => {
    const head = body(encodeCheckpoint(checkpoint([7]))).subarray(0, 17);
    const withTail = (...tail: number[]) => decodeCheckpoint(tokenOf(Buffer.concat([head, Buffer.from(tail)])));

    it('nothing of a good one', () => {
      expect(withTail(1, 1, 7)?.position).toEqual({ epoch: 1, seqs: [7 as Seq] });
    });

    it.each<[string, number[]]>([
      ['epoch 0', [0, 1, 7]],
      ['no lanes', [1, 0]],
      ['more lanes than there can be', [1, 0x81, 0x08, ...new Array<number>(1025).fill(0)]],
      ['a number in a longer form than it needs', [1, 1, 0x87, 0x00]],
      ['a number past what is safe', [1, 1, 255, 255, 255, 255, 255, 255, 255, 127]],
      ['a number without an end', [1, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255]],
      ['something left over', [1, 1, 7, 0]],
    ])('%s', (_, tail) => {
      expect(withTail(...tail)).toBeUndefined();
    });

    it('flags that nobody sets', () => {
      const bytes = body(encodeCheckpoint(checkpoint([7])));
      for (const flags of [32, 128, 255, 1 | 8]) {
        bytes[0] = flags;
        expect(decodeCheckpoint(tokenOf(bytes))).toBeUndefined();
      }
    });

    it.each([
      ...[
        '',
        '\u0000',
        'a\u0000b',
        'tasks\u0000',
        '$cmd',
        '.tasks',
        'system.users',
        'tidemark_log',
        'x'.repeat(121),
      ].map((collection) => ({ collection })),
      ...[
        '',
        '\u0000',
        'a\u0000b',
        '\u0000o12',
        `\u0000o${'A'.repeat(24)}`,
        '\u0000uzz',
        `\u0000x${uuid}`,
        'x'.repeat(513),
      ].map((after) => ({ collection: 'tasks', after })),
    ])('the listing %j, of what no client may name', (listing) => {
      expect(decodeCheckpoint(encodeCheckpoint(checkpoint([7], { listing })))).toBeUndefined();
    });

    it('text that is not UTF-8, a UUID in its long form, and an empty history id', () => {
      const text = (id: Uint8Array) => tokenOf(Buffer.concat([Buffer.of(0, id.length), id, Buffer.of(1, 1, 7)]));
      expect(decodeCheckpoint(text(Buffer.from('main')))?.historyId).toBe('main');
      expect(decodeCheckpoint(text(Buffer.of(0xff, 0xfe)))).toBeUndefined();
      expect(decodeCheckpoint(text(Buffer.from(uuid)))).toBeUndefined();
      expect(decodeCheckpoint(text(Buffer.of()))).toBeUndefined();
    });
  });

  it('does not hand out pieces of memory that somebody else may write to', () => {
    const value = checkpoint([1], { listing: { collection: brandAs('a'), after: brandAs('b') } });
    const tokens = Array.from({ length: 2_000 }, (_, seq) => encodeCheckpoint(checkpoint([seq])));
    expect(decodeCheckpoint(encodeCheckpoint(value))).toEqual(value);
    tokens.forEach((token, seq) => {
      expect(decodeCheckpoint(token)?.position.seqs).toEqual([seq]);
    });
  });
});

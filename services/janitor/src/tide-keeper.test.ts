import { afterEach, describe, expect, it } from '@jest/globals';
import { decodeCheckpoint } from '@tidemark/protocol';
import { Desk } from './testing/desk.ts';
import { TideKeeper } from './tide-keeper.ts';

const desks: Desk[] = [];
afterEach(async () => {
  for (const desk of desks.splice(0)) await desk.close();
});

async function openDesk(lanes?: number): Promise<Desk> {
  const desk = await Desk.open(lanes);
  desks.push(desk);
  return desk;
}

describe('the tide table', () => {
  it('gets a row with the heads of every lane, under the time', async () => {
    const desk = await openDesk(3);
    for (let n = 0; n < 9; n++) await desk.write(`d${n}`, 5);
    await new TideKeeper({ store: desk.store, now: () => 1_000 }).record();
    const row = await desk.store.findTide(1_500);
    const seqs = (await desk.heads()).map(({ head }) => head);
    expect(seqs.reduce((sum, seq) => sum + seq, 0)).toBe(9);
    expect(row?.time).toBe(1_000);
    expect(decodeCheckpoint(row!.token)).toEqual({
      historyId: desk.store.history.id,
      position: { epoch: desk.epoch.epoch, seqs },
    });
  });

  it('gets a row only when history has moved', async () => {
    const desk = await openDesk();
    let now = 1_000;
    const keeper = new TideKeeper({ store: desk.store, now: () => now });
    await keeper.record();
    now = 2_000;
    await keeper.record();
    expect((await desk.store.findTide(9_000))?.time).toBe(1_000);
    await desk.write('d1', 2_500);
    now = 3_000;
    await keeper.record();
    expect((await desk.store.findTide(9_000))?.time).toBe(3_000);
    expect((await desk.store.findTide(2_999))?.time).toBe(1_000);
  });

  it('reads the position before it takes the time: what is committed between them comes after the row', async () => {
    const desk = await openDesk();
    let committed: Promise<void> | undefined;
    const store = {
      ...tideStoreOf(desk),
      heads: async () => {
        const heads = await desk.heads();
        await desk.write('between', 5);
        committed = Promise.resolve();
        return heads;
      },
    };
    const now = () => {
      expect(committed).toBeDefined();
      return 1_000;
    };
    await new TideKeeper({ store, now }).record();
    const row = await desk.store.findTide(1_000);
    expect(decodeCheckpoint(row!.token)?.position.seqs).toEqual([0]);
  });

  it('tries again when the very time has a row already, which stays', async () => {
    const desk = await openDesk();
    await desk.store.recordTide(1_000, 'a row of a gateway');
    let now = 1_000;
    const keeper = new TideKeeper({ store: desk.store, now: () => now });
    await keeper.record();
    expect((await desk.store.findTide(1_000))?.token).toBe('a row of a gateway');
    now = 1_001;
    await keeper.record();
    expect((await desk.store.findTide(1_001))?.time).toBe(1_001);
  });
});

function tideStoreOf({ store }: Desk) {
  return {
    history: store.history,
    transact: store.transact.bind(store),
    recordTide: (time: number, token: string) => store.recordTide(time, token),
    findTide: (time: number) => store.findTide(time),
  };
}

/** @jest-environment jsdom */
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { act, cleanup, render, screen } from '@testing-library/react';
import { World } from '../../test/react-world.tsx';
import { type Mutation, useMutation } from './use-mutation.ts';
import { useSyncStatus } from './use-sync-status.ts';

afterEach(cleanup);

function Probe({ results }: { results: Mutation[] }) {
  results.push(useMutation('tasks'));
  return null;
}

/** Shows the hook; what it has returned, the last one last. */
function probe(world: World) {
  const results: Mutation[] = [];
  world.show(<Probe results={results} />);
  return { results, latest: () => results.at(-1)! };
}

function Status() {
  const { connection, pending } = useSyncStatus();
  return <p data-testid="status">{`${connection} ${pending}`}</p>;
}

describe('useMutation', () => {
  it('counts what the server has not decided', async () => {
    const world = new World();
    const { results, latest } = probe(world);
    await world.flow();
    await act(async () => void (await latest().insert({ _id: '1', title: 'a' })));
    expect(latest()).toMatchObject({ pending: 1, error: undefined });
    expect(await world.client.collection('tasks').get('1')).toMatchObject({ title: 'a' });
    await world.flow();
    expect(latest()).toMatchObject({ pending: 0, error: undefined });
    await act(async () => void (await latest().update('1', { title: 'b' }, { unset: ['rank'] })));
    await act(async () => void (await latest().remove('1')));
    await world.flow();
    expect(world.server.documents('tasks')).toEqual([]);
    expect(new Set(results.map(({ insert }) => insert)).size).toBe(1);
    await world.close();
  });

  it('tells why the server refused, until it is reset', async () => {
    const world = new World();
    const { latest } = probe(world);
    await world.flow();
    await act(async () => void (await latest().insert({ _id: '1', forbidden: true })));
    await world.flow();
    expect(latest()).toMatchObject({ pending: 0, error: { name: 'ClientError', code: 'forbidden' } });
    expect(await world.client.collection('tasks').get('1')).toBeUndefined();
    act(() => latest().reset());
    expect(latest().error).toBeUndefined();
    await world.close();
  });

  it('rejects, and tells, what cannot be kept', async () => {
    const world = new World();
    const { latest } = probe(world);
    await world.flow();
    await act(async () => {
      await expect(latest().insert({ $set: 1 })).rejects.toMatchObject({ code: 'invalid_document' });
    });
    expect(latest()).toMatchObject({ pending: 0, error: { code: 'invalid_document' } });
    await world.close();
  });
});

describe('useSyncStatus', () => {
  it('follows the client', async () => {
    const shown = () => screen.getByTestId('status').textContent;
    const world = new World();
    world.show(<Status />);
    await world.flow();
    expect(shown()).toBe('live 0');
    act(() => world.client.pause());
    expect(shown()).toBe('paused 0');
    await act(async () => void (await world.client.collection('tasks').insert({ _id: '1' })));
    expect(shown()).toBe('paused 1');
    act(() => world.client.resume());
    await world.flow();
    expect(shown()).toBe('live 0');
    await world.close();
  });

  it('says what is missing without a provider', () => {
    const logged = jest.spyOn(console, 'error').mockImplementation(() => {});
    expect(() => render(<Status />)).toThrow('TidemarkProvider');
    logged.mockRestore();
  });
});

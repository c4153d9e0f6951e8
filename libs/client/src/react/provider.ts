import { createContext, createElement, type ReactElement, type ReactNode, useContext } from 'react';
import type { Client } from '../client.ts';

const ClientContext = createContext<Client | undefined>(undefined);

/** Properties of `TidemarkProvider`. */
export interface TidemarkProviderProps {
  /** Made once, outside of components. The program closes it. */
  readonly client: Client;
  readonly children?: ReactNode;
}

/**
 * Gives a client to the hooks below it.
 *
 * @param props the client, and what is rendered below
 */
export function TidemarkProvider({ client, children }: TidemarkProviderProps): ReactElement {
  return createElement(ClientContext, { value: client }, children);
}

/** The client of the nearest provider. Throws when there is none. */
export function useTidemark(): Client {
  const client = useContext(ClientContext);
  if (!client) throw new Error('useTidemark and the hooks of Tidemark need a <TidemarkProvider client={…}> above them');
  return client;
}

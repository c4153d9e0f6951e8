import { useQuery } from '@tidemark/client/react';
import { useMemo } from 'react';
import { type Cell, cellCount, cellId } from '../documents.ts';
import { usePendingIds } from './use-pending-ids.ts';

export interface TideStripProps {
  readonly onBurst: () => void;
  readonly isBusy: boolean;
}

/** Squares that show who wrote them last; a burst writes all of them at once. */
export function TideStrip({ onBurst, isBusy }: TideStripProps) {
  const { documents } = useQuery<Cell>('cells');
  const byId = useMemo(() => new Map(documents.map((cell) => [String(cell._id), cell])), [documents]);
  const pending = usePendingIds('cells');
  const cells = Array.from({ length: cellCount }, (_, index) => cellId(index));
  return (
    <section className="tide" aria-label="Burst">
      <div className="cells" aria-hidden="true">
        {cells.map((id) => (
          <i key={id} data-author={byId.get(id)?.by} data-pending={pending.has(JSON.stringify(id)) || undefined} />
        ))}
      </div>
      <button type="button" onClick={onBurst} disabled={isBusy} title={`${cellCount} writes at once`}>
        Burst
      </button>
    </section>
  );
}

import { useContext, useSyncExternalStore } from 'react';
import { LatencyContext } from './actions/use-writer.ts';

const width = 120;
const height = 24;
const bars = 40;

/** How long writes take from one pane to the other, live. */
export function LatencyMeter() {
  const book = useContext(LatencyContext);
  const { samples, median, p95 } = useSyncExternalStore(book.listen, book.snapshot);
  const shown = samples.slice(-bars);
  const most = Math.max(10, ...shown);
  const step = width / bars;
  return (
    <div className="meter" title="From a write in one pane to its arrival in the other">
      {shown.length > 0 && (
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
          {shown.map((sample, index) => {
            const tall = Math.max(1.5, (sample / most) * height);
            const x = (bars - shown.length + index) * step;
            // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
            return <rect key={index} x={x} y={height - tall} width={step - 1} height={tall} rx={1} />;
          })}
        </svg>
      )}
      <span data-testid="latency">
        {median === undefined ? 'Latency: –' : `${format(median)} ms`}
        {p95 !== undefined && <small> p95 {format(p95)}</small>}
      </span>
    </div>
  );
}

function format(ms: number): string {
  return ms < 10 ? ms.toFixed(1) : ms.toFixed(0);
}

/** Of the panel's shadow root. */
export const panelStyle = `
  :host { color-scheme: light dark; }
  .panel { padding: 12px 14px; font: 12px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
  h2 { margin: 0 0 6px; font-size: 14px; }
  h3 { margin: 12px 0 4px; font-size: 12px; }
  small, p, dt, th { color: light-dark(#5a6a67, #93a5a1); font-weight: 400; }
  p { margin: 0; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: 1px 14px; margin: 0; }
  dd { margin: 0; overflow-wrap: anywhere; }
  table { width: 100%; border-collapse: collapse; }
  th, td { padding: 1px 10px 1px 0; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
`;

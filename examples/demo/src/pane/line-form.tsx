import { type FormEvent, useState } from 'react';

export interface LineFormProps {
  readonly label: string;
  /** Of the button. */
  readonly action: string;
  readonly className?: string;
  /** Called with what was written, without blanks around it; never with nothing. */
  readonly onLine: (line: string) => void;
}

/** One line to write, and a button. */
export function LineForm({ label, action, className = '', onLine }: LineFormProps) {
  const [line, setLine] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (line.trim() === '') return;
    onLine(line.trim());
    setLine('');
  };
  return (
    <form className={`row-form ${className}`} onSubmit={submit}>
      <input
        aria-label={label}
        placeholder={`${label}…`}
        value={line}
        onChange={(event) => setLine(event.target.value)}
      />
      <button type="submit">{action}</button>
    </form>
  );
}

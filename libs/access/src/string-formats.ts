const maxUriLength = 8_192;
const maxEmailLength = 254;
const date = /^(\d{4})-(\d{2})-(\d{2})$/;
const time = /^([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?(z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i;
const email = /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)*$/;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const scheme = /^[a-z][a-z0-9+.-]*:/i;

/** The words that `format` of a schema may be, each checked in linear time. */
export const stringFormats: Readonly<Record<string, (text: string) => boolean>> = {
  date: isDate,
  time: (text) => time.test(text),
  'date-time': isDateTime,
  email: (text) => text.length <= maxEmailLength && email.test(text),
  uuid: (text) => uuid.test(text),
  uri: (text) => text.length <= maxUriLength && scheme.test(text) && URL.canParse(text),
};

/** A day of the calendar: 2026-02-30 is none. */
function isDate(text: string): boolean {
  const parts = date.exec(text);
  if (parts === null) return false;
  const [year, month, day] = parts.slice(1).map(Number) as [number, number, number];
  const lastOfMonth = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  return month >= 1 && month <= 12 && day >= 1 && day <= lastOfMonth;
}

/** RFC 3339, with `T` (or `t`) between day and time. */
function isDateTime(text: string): boolean {
  return /^t$/i.test(text[10] ?? '') && isDate(text.slice(0, 10)) && time.test(text.slice(11));
}

const MILLISECONDS: Readonly<Record<string, number>> = {
  nanos: 1e-6,
  micros: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A time as clusters write it, such as `10s`. -1 stands for never. Null for anything else. */
export function millisecondsOf(text: string): number | null {
  if (text.trim() === '-1') return -1;
  return measured(text, MILLISECONDS);
}

const BYTES: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1024,
  mb: 1024 ** 2,
  gb: 1024 ** 3,
  tb: 1024 ** 4,
  pb: 1024 ** 5,
};

/** A size as clusters write it, such as `200gb`. Null for anything else. */
export function bytesOf(text: string): number | null {
  return measured(text.toLowerCase(), BYTES);
}

/** A share as clusters write it, `85%` or `0.85`, from 0 to 1. Null for anything else. */
export function shareOf(text: string): number | null {
  const [, percent] = /^\s*([\d.]+)\s*%\s*$/.exec(text) ?? [];
  const share = percent === undefined ? Number(text) : Number(percent) / 100;
  return text.trim() !== '' && share >= 0 && share <= 1 ? share : null;
}

function measured(text: string, units: Readonly<Record<string, number>>): number | null {
  const [, amount, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/.exec(text) ?? [];
  const factor = units[unit];
  return amount === undefined || factor === undefined ? null : Number(amount) * factor;
}

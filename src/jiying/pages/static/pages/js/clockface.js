// What a clock shows at one moment.  The twin of clockface.py, which explains it; a test holds the two together.

const SOON_SHARE = 1 / 3;

export const SIGNS = {
  running: "",
  soon: "M24 23.5V14",
  late: "M24 11v6.5M24 22v.6",
  paused: "M20.8 13v9.5M27.2 13v9.5",
  met: "M18.5 18l4 4 7.5-8.5",
  missed: "M19.5 13l9 9M28.5 13l-9 9",
  void: "M19 18.5h10",
};

/** Put `values` into a phrase such as "%(d)s 天 %(h)s 小时". */
export function fill(phrase, values) {
  return phrase.replace(/%\((\w+)\)s/g, (_, name) => values[name]);
}

/** A length of time in two units at most. */
export function duration(seconds, phrases) {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days >= 2) return fill(phrases.d, { d: days, h: hours % 24 });
  if (minutes >= 60) return fill(phrases.h, { h: hours, m: minutes % 60 });
  return minutes ? fill(phrases.m, { m: minutes }) : phrases.z;
}

function inOneUnit(seconds, phrases) {
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 48 * 60) return [String(Math.floor(minutes / 1440)), phrases.unit_d];
  if (minutes >= 120) return [String(Math.floor(minutes / 60)), phrases.unit_h];
  return [String(minutes), phrases.unit_m];
}

function share(seconds, limit) {
  return Math.max(0, Math.min(100, Math.floor((100 * seconds) / limit + 0.5)));
}

function said(phase, seconds, filled, phrases) {
  const key = phase === "soon" ? "running" : phase;
  const length = Math.max(seconds, 0);
  const [number, unit] = inOneUnit(length, phrases);
  const words = fill(phrases[key], { t: duration(length, phrases) });
  return { phase, share: filled, words, number, unit, caption: phrases[`cap_${key}`] };
}

function plain(phase, text) {
  return { phase, share: 0, words: text, number: "", unit: "", caption: text };
}

/**
 * How a clock looks now.
 * @param {{state: string, from: number, due: number, reached: number|null, limit: number, ended: boolean}} clock
 *   times in ms since 1970, the limit in minutes
 * @param {number} now ms since 1970 by the server's time
 */
export function face(clock, now, phrases) {
  const limit = Math.max(clock.limit * 60, 1);
  const left = (clock.due - now) / 1000;
  if (clock.state === "paused" || clock.state === "void") return plain(clock.state, phrases[clock.state]);
  if (clock.state === "met" && clock.reached !== null) {
    const spare = (clock.due - clock.reached) / 1000;
    return said("met", (clock.reached - clock.from) / 1000, share(spare, limit), phrases);
  }
  if (clock.reached !== null) return said("missed", (clock.reached - clock.due) / 1000, 0, phrases);
  if (left < 0 || clock.state === "missed") {
    if (clock.ended) return plain("missed", phrases.unmet);
    return said("late", Math.max(-left, 0), 100, phrases);
  }
  return said(left < limit * SOON_SHARE ? "soon" : "running", left, share(left, limit), phrases);
}

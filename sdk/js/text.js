/** Text in UTF-8. The engine in a component has no `TextEncoder` and no `TextDecoder`. */

import { Failure } from './failure.js';

/** Characters that one call of `String.fromCodePoint` takes. */
const CHARACTERS_AT_ONCE = 4096;

/** The text's bytes. Half of a surrogate pair becomes U+FFFD. */
export function toBytes(text) {
  const bytes = [];
  for (const character of text.toWellFormed?.() ?? text) {
    const point = character.codePointAt(0);
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 63));
    else if (point < 0x10000) bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
    else {
      bytes.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
    }
  }
  return Uint8Array.from(bytes);
}

/** The bytes' text. Failure `not-utf-8`: they are none. */
export function toText(bytes) {
  const parts = [];
  let points = [];
  for (let at = 0; at < bytes.length; ) {
    const [point, length] = pointAt(bytes, at);
    points.push(point);
    at += length;
    if (points.length === CHARACTERS_AT_ONCE) {
      parts.push(String.fromCodePoint(...points));
      points = [];
    }
  }
  return parts.join('') + String.fromCodePoint(...points);
}

/** The code point that begins at this byte, and how many bytes it has. */
function pointAt(bytes, at) {
  const first = bytes[at];
  if (first < 0x80) return [first, 1];
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  let point = first & (0x7f >> length);
  for (let next = at + 1; next < at + length; next += 1) {
    if ((bytes[next] & 0xc0) !== 0x80) throw malformed(at);
    point = (point << 6) | (bytes[next] & 63);
  }
  const least = [0, 0, 0x80, 0x800, 0x10000][length];
  const surrogate = point >= 0xd800 && point <= 0xdfff;
  if (first < 0xc2 || first > 0xf4 || point < least || point > 0x10ffff || surrogate) throw malformed(at);
  return [point, length];
}

function malformed(at) {
  return Failure.permanent('not-utf-8', `byte ${at} is not part of a text in UTF-8`);
}

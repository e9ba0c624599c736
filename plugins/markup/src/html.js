/** Pieces of HTML. Text is always escaped, and addresses are those that a reader can follow without harm. */

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function escape(text) {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/** Undefined: an address that is not shown. Relative ones, `http`, `https` and `mailto` are. */
export function safeUrl(url) {
  const plain = [...url].filter((character) => character > ' ' && character !== '\u007f').join('');
  const scheme = /^([^/?#:]*):/.exec(plain)?.[1].toLowerCase();
  const known = scheme === undefined || ['http', 'https', 'mailto'].includes(scheme);
  return known ? plain.replaceAll('\\', '%5C') : undefined;
}

/** What a heading is called in addresses: words of letters and digits. */
export function slug(text) {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.join('-') || 'section';
}

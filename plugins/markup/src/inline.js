/** The inside of a paragraph: emphasis, code, links, images and breaks, after CommonMark. HTML in it is text. */

import { escape, safeUrl } from './html.js';

const PUNCTUATION = /[\p{P}\p{S}]/u;
const ESCAPABLE = /[!-/:-@[-`{-~]/;
const AUTOLINK = /^<((?:https?:\/\/|mailto:)[^\s<>]*|[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+)>/;
const TARGET = /^\(\s*(?:<([^<>\n]*)>|([^\s()<>]*(?:\([^\s()]*\)[^\s()<>]*)*))(?:\s+(?:"([^"]*)"|'([^']*)'))?\s*\)/;
/** Links in links, and the like. Deeper, brackets are text. */
const DEPTH_MAX = 8;

/** HTML of a text without line starts that mean anything. */
export function inline(text, depth = 0) {
  return emphasise(new Scanner(text, depth).nodes());
}

/** What a reader sees of it, without markup. */
export function plain(text, depth = 0) {
  const html = inline(text, depth);
  const shown = html.replace(/<img [^>]*alt="([^"]*)"[^>]*>/g, '$1').replace(/<[^>]*>/g, '');
  const characters = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&' };
  return shown.replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => characters[entity]);
}

/** Reads a text into nodes: `{ html }`, and runs of `*`, `_` or `~`, which may be emphasis. */
class Scanner {
  constructor(text, depth) {
    this.text = text;
    this.depth = depth;
    this.at = 0;
    this.list = [];
    this.pending = '';
    this.closing = matches(text);
    this.ticks = new TickRuns(text);
  }

  nodes() {
    while (this.at < this.text.length) this.step(this.text[this.at]);
    this.flush();
    return this.list;
  }

  step(character) {
    if (character === '\\') return this.escaped();
    if (character === '`') return this.code();
    if (character === '\n') return this.lineBreak();
    if (character === '<') return this.autolink();
    if (character === '!' && this.text[this.at + 1] === '[') return this.link(this.at + 1, image);
    if (character === '[') return this.link(this.at, anchor);
    if (character === '*' || character === '_' || character === '~') return this.run(character);
    return this.take(1);
  }

  take(count) {
    this.pending += this.text.slice(this.at, this.at + count);
    this.at += count;
  }

  flush() {
    if (this.pending !== '') this.list.push({ html: escape(this.pending) });
    this.pending = '';
  }

  push(html, end) {
    this.flush();
    this.list.push({ html });
    this.at = end;
  }

  escaped() {
    const next = this.text[this.at + 1] ?? '';
    if (next === '\n') return this.push('<br>\n', this.at + 2);
    if (ESCAPABLE.test(next)) this.at += 1;
    return this.take(1);
  }

  code() {
    const length = runLength(this.text, this.at);
    const end = this.ticks.after(length, this.at);
    if (end === undefined) return this.take(length);
    let code = this.text.slice(this.at + length, end).replaceAll('\n', ' ');
    if (code.startsWith(' ') && code.endsWith(' ') && code.trim() !== '') code = code.slice(1, -1);
    return this.push(`<code>${escape(code)}</code>`, end + length);
  }

  lineBreak() {
    const hard = this.pending.endsWith('  ');
    this.pending = this.pending.trimEnd();
    return this.push(hard ? '<br>\n' : '\n', this.at + 1);
  }

  autolink() {
    const found = AUTOLINK.exec(this.text.slice(this.at, this.at + 2048));
    if (found === null) return this.take(1);
    const address = found[1].includes(':') ? found[1] : `mailto:${found[1]}`;
    return this.push(`<a href="${escape(address)}">${escape(found[1])}</a>`, this.at + found[0].length);
  }

  /** `open` is where the bracket stands. */
  link(open, make) {
    const close = this.closing.get(open);
    if (close === undefined || this.depth >= DEPTH_MAX) return this.take(open + 1 - this.at);
    const found = TARGET.exec(this.text.slice(close + 1, close + 4096));
    if (found === null) return this.take(open + 1 - this.at);
    const [whole, bracketed, bare, double, single] = found;
    const target = { url: safeUrl(unescaped(bracketed ?? bare)), title: unescaped(double ?? single ?? '') };
    const label = this.text.slice(open + 1, close);
    return this.push(make(label, target, this.depth + 1), close + 1 + whole.length);
  }

  run(character) {
    const length = runLength(this.text, this.at);
    if (character === '~' && length !== 2) return this.take(length);
    this.flush();
    const before = [...this.text.slice(Math.max(0, this.at - 2), this.at)].at(-1) ?? ' ';
    const after = String.fromCodePoint(this.text.codePointAt(this.at + length) ?? 32);
    this.list.push({ character, length, ...flanks(character, before, after) });
    this.at += length;
    return undefined;
  }
}

function anchor(label, { url, title }, depth) {
  const content = inline(label, depth);
  if (url === undefined) return content;
  return `<a href="${escape(url)}"${titled(title)}>${content}</a>`;
}

function image(label, { url, title }, depth) {
  const alt = escape(plain(label, depth));
  return url === undefined ? alt : `<img src="${escape(url)}" alt="${alt}"${titled(title)}>`;
}

function titled(title) {
  return title === '' ? '' : ` title="${escape(title)}"`;
}

function unescaped(text) {
  return text.replace(/\\([!-/:-@[-`{-~])/g, '$1');
}

function runLength(text, at) {
  let end = at + 1;
  while (text[end] === text[at]) end += 1;
  return end - at;
}

/** Where runs of backticks begin, by their lengths. */
class TickRuns {
  constructor(text) {
    this.starts = new Map();
    for (const { 0: run, index } of text.matchAll(/`+/g)) {
      const known = this.starts.get(run.length);
      if (known === undefined) this.starts.set(run.length, { next: 0, list: [index] });
      else known.list.push(index);
    }
  }

  /** The first of this length behind this place. Places are asked for in order. */
  after(length, at) {
    const runs = this.starts.get(length);
    if (runs === undefined) return undefined;
    while (runs.next < runs.list.length && runs.list[runs.next] <= at) runs.next += 1;
    return runs.list[runs.next];
  }
}

/** For each `[` its `]`, in one pass. */
function matches(text) {
  const closing = new Map();
  const open = [];
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '[') open.push(at);
    else if (text[at] === ']' && open.length > 0) closing.set(open.pop(), at);
  }
  return closing;
}

function flanks(character, before, after) {
  const [spaceBefore, spaceAfter] = [/\s/u.test(before), /\s/u.test(after)];
  const [markBefore, markAfter] = [PUNCTUATION.test(before), PUNCTUATION.test(after)];
  const left = !spaceAfter && (!markAfter || spaceBefore || markBefore);
  const right = !spaceBefore && (!markBefore || spaceAfter || markAfter);
  if (character !== '_') return { opens: left, closes: right };
  return { opens: left && (!right || markBefore), closes: right && (!left || markAfter) };
}

/** Pairs runs from the inside out. What finds no partner is text. */
function emphasise(nodes) {
  const out = nodes.map((node) => ({ text: node.html ?? '', opened: [], closed: [] }));
  const openers = new Openers();
  nodes.forEach((node, place) => {
    if (node.html !== undefined) return;
    const run = { ...node, left: node.length, place };
    if (run.closes) close(run, openers, out);
    if (run.opens && run.left > 0) openers.stack.push(run);
    out[place].run = run;
  });
  // Of a run's own characters, those that closed something stand before what is left, those that opened after it.
  const html = out.map(({ text, opened, closed, run }) => {
    const rest = run === undefined ? text : run.character.repeat(run.left);
    return closed.join('') + rest + opened.reverse().join('');
  });
  return html.join('');
}

function close(run, openers, out) {
  while (run.left > 0) {
    const opener = openers.find(run);
    if (opener === undefined) return;
    const used = opener.left >= 2 && run.left >= 2 ? 2 : 1;
    const name = run.character === '~' ? 'del' : used === 2 ? 'strong' : 'em';
    opener.left -= used;
    run.left -= used;
    out[opener.place].opened.push(`<${name}>`);
    out[run.place].closed.push(`</${name}>`);
    openers.keep(opener);
  }
}

/** Runs that may still open something. What was looked through in vain is not looked through again. */
class Openers {
  stack = [];
  bottoms = new Map();

  /** The nearest that pairs with the run; those above it are dropped, because nothing crosses. */
  find(run) {
    const kind = `${run.character}${run.opens}${run.length % 3}`;
    const bottom = Math.min(this.bottoms.get(kind) ?? 0, this.stack.length);
    for (let at = this.stack.length - 1; at >= bottom; at -= 1) {
      const opener = this.stack[at];
      if (opener.character === run.character && pairs(opener, run)) {
        this.cut(at + 1);
        return opener;
      }
    }
    this.bottoms.set(kind, this.stack.length);
    return undefined;
  }

  /** After a pair: an opener with nothing left is done. */
  keep(opener) {
    if (opener.left === 0) this.cut(this.stack.length - 1);
  }

  cut(length) {
    this.stack.length = length;
    for (const [kind, bottom] of this.bottoms) this.bottoms.set(kind, Math.min(bottom, length));
  }
}

/** CommonMark's rule of three: a run that opens and closes does not pair with every other. */
function pairs(opener, closer) {
  if (!(opener.closes || closer.opens)) return true;
  return (opener.length + closer.length) % 3 !== 0 || (opener.length % 3 === 0 && closer.length % 3 === 0);
}

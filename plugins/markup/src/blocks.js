/**
 * The lines of a document: headings, paragraphs, quotes, lists, code, tables and rules, after CommonMark with tables.
 * Left out are indented code, HTML blocks and link definitions: the first two are text here, and so is the third.
 */

import { escape, slug } from './html.js';
import { inline, plain } from './inline.js';

const HEADING = /^ {0,3}(#{1,6})(?: (.*))?$/;
const UNDERLINE = /^ {0,3}(=+|-+) *$/;
const RULE = /^ {0,3}(?:(?:\* *){3,}|(?:- *){3,}|(?:_ *){3,})$/;
const FENCE = /^( {0,3})(`{3,}|~{3,})([^`]*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const ITEM = /^( {0,3})([-*+]|(\d{1,9})[.)])(?: +([^ ].*)?)?$/;
const TABLE_RULE = /^ {0,3}\|? *:?-+:? *(?:\| *:?-+:? *)*\|? *$/;
/** Lists in quotes in lists. Deeper, lines are paragraphs. */
const DEPTH_MAX = 16;

/** `{ html, headings }`. Headings are `{ level, text, id }`, and ids are used once. */
export function render(text) {
  const document = { headings: [], ids: new Map() };
  const lines = text.replaceAll('\0', '\ufffd').replaceAll('\t', '    ').split(/\r\n|\r|\n/);
  return { html: blocks(document, lines, 0), headings: document.headings };
}

function blocks(document, lines, depth) {
  const out = [];
  let at = 0;
  while (at < lines.length) {
    const block = lines[at].trim() === '' ? { end: at + 1 } : read(document, lines, at, depth);
    if (block.html !== undefined) out.push(block.html);
    at = block.end;
  }
  return out.join('');
}

/** The block that begins at this line: its HTML, and where the next one begins. */
function read(document, lines, at, depth) {
  const heading = HEADING.exec(lines[at]);
  if (heading) return { html: headingOf(document, heading[1].length, unclosed(heading[2] ?? '')), end: at + 1 };
  const fence = FENCE.exec(lines[at]);
  if (fence) return code(lines, at, fence);
  if (RULE.test(lines[at])) return { html: '<hr>\n', end: at + 1 };
  if (depth < DEPTH_MAX && QUOTE.test(lines[at])) return quote(document, lines, at, depth);
  if (depth < DEPTH_MAX && ITEM.test(lines[at])) return list(document, lines, at, depth);
  if (isTable(lines, at)) return table(lines, at);
  return paragraph(document, lines, at, depth);
}

/** Without the `#` that may end a heading. */
function unclosed(text) {
  let end = text.trimEnd().length;
  while (text[end - 1] === '#') end -= 1;
  return end === 0 || text[end - 1] === ' ' ? text.slice(0, end).trim() : text.trim();
}

function headingOf(document, level, source) {
  const text = plain(source);
  const base = slug(text);
  const used = document.ids.get(base) ?? 0;
  document.ids.set(base, used + 1);
  const id = used === 0 ? base : `${base}-${used}`;
  document.headings.push({ level, text, id });
  return `<h${level} id="${escape(id)}">${inline(source)}</h${level}>\n`;
}

function code(lines, at, [, indent, fence, info]) {
  const closes = new RegExp(`^ {0,3}${fence[0]}{${fence.length},} *$`);
  let end = at + 1;
  while (end < lines.length && !closes.test(lines[end])) end += 1;
  const strip = new RegExp(`^ {0,${indent.length}}`);
  const content = lines.slice(at + 1, end).map((line) => `${line.replace(strip, '')}\n`);
  const language = info.trim().split(/\s+/)[0];
  const name = language === '' ? '' : ` class="language-${escape(language)}"`;
  return { html: `<pre><code${name}>${escape(content.join(''))}</code></pre>\n`, end: end + 1 };
}

/** Lines after a quote's that begin no other block belong to its last paragraph. */
function quote(document, lines, at, depth) {
  const inner = [];
  let end = at;
  while (end < lines.length) {
    const found = QUOTE.exec(lines[end]);
    if (!found && (lines[end].trim() === '' || interrupts(lines[end]) || (inner.at(-1) ?? '').trim() === '')) break;
    inner.push(found ? found[1] : lines[end]);
    end += 1;
  }
  return { html: `<blockquote>\n${blocks(document, inner, depth + 1)}</blockquote>\n`, end };
}

function list(document, lines, at, depth) {
  const first = ITEM.exec(lines[at]);
  const kind = first[2].at(-1);
  const items = [];
  let end = at;
  let loose = false;
  while (end < lines.length) {
    const found = ITEM.exec(lines[end]);
    if (!found || found[2].at(-1) !== kind || RULE.test(lines[end])) break;
    const item = itemOf(lines, end, found);
    items.push(item.lines);
    const more = ITEM.exec(lines[item.end] ?? '');
    loose ||= item.blankInside || (item.blankAfter && more !== null && more[2].at(-1) === kind);
    end = item.end;
  }
  const start = first[3] === undefined || Number(first[3]) === 1 ? '' : ` start="${Number(first[3])}"`;
  const name = first[3] === undefined ? 'ul' : 'ol';
  const html = items.map((item) => `<li>${itemHtml(document, item, depth, loose)}</li>\n`);
  return { html: `<${name}${start}>\n${html.join('')}</${name}>\n`, end };
}

/** An item's lines without their indent, and whether empty ones stand in it or behind it. */
function itemOf(lines, at, [, before, marker, , text = '']) {
  const spaces = text === '' ? 1 : Math.min(lines[at].length - before.length - marker.length - text.length, 4);
  const indent = before.length + marker.length + spaces;
  const own = [text];
  let end = at + 1;
  while (end < lines.length) {
    const line = lines[end];
    const inside = line.slice(0, indent).trim() === '';
    const lazy = own.at(-1).trim() !== '' && !interrupts(line) && !ITEM.test(line);
    if (line.trim() !== '' && !inside && !lazy) break;
    own.push(inside ? line.slice(indent) : line);
    end += 1;
  }
  let blankAfter = false;
  while (own.length > 1 && own.at(-1).trim() === '') {
    own.pop();
    blankAfter = true;
  }
  return { lines: own, end, blankAfter, blankInside: hasBlankBetweenBlocks(own) };
}

/** Not counting empty lines of code, and those in front of something that is indented: a list of its own. */
function hasBlankBetweenBlocks(lines) {
  let fenced = false;
  return lines.some((line, at) => {
    if (FENCE.test(line)) fenced = !fenced;
    return !fenced && line.trim() === '' && at > 0 && at + 1 < lines.length && !/^\s/.test(lines[at + 1] || ' ');
  });
}

/** In a list without empty lines, an item's paragraph needs no tag. */
function itemHtml(document, lines, depth, loose) {
  const html = blocks(document, lines, depth + 1);
  if (loose) return `\n${html}`;
  return html.replace(/^<p>([\s\S]*?)<\/p>\n/, (_, text) => (html.length === text.length + 8 ? text : `${text}\n`));
}

function isTable(lines, at) {
  const rule = lines[at + 1] ?? '';
  if (!lines[at].includes('|') || !TABLE_RULE.test(rule)) return false;
  return cells(lines[at]).length === cells(rule).length;
}

function table(lines, at) {
  const aligned = cells(lines[at + 1]).map((rule) => {
    const side = `${rule.startsWith(':') ? 'l' : ''}${rule.endsWith(':') ? 'r' : ''}`;
    return { l: ' style="text-align:left"', r: ' style="text-align:right"', lr: ' style="text-align:center"' }[side] ?? '';
  });
  const row = (line, name) => {
    const values = cells(line);
    const filled = aligned.map((align, column) => `<${name}${align}>${inline(values[column] ?? '')}</${name}>`);
    return `<tr>${filled.join('')}</tr>\n`;
  };
  let end = at + 2;
  while (end < lines.length && lines[end].trim() !== '' && !interrupts(lines[end])) end += 1;
  const body = lines.slice(at + 2, end).map((line) => row(line, 'td'));
  const html = `<table>\n<thead>\n${row(lines[at], 'th')}</thead>\n<tbody>\n${body.join('')}</tbody>\n</table>\n`;
  return { html, end };
}

/** Values between the bars; an escaped bar is part of a value. */
function cells(line) {
  const inner = line.trim().replace(/^\|/, '');
  const values = [''];
  for (let at = 0; at < inner.length; at += 1) {
    const escaped = inner[at] === '\\' && inner[at + 1] === '|';
    if (escaped) at += 1;
    if (inner[at] === '|' && !escaped) values.push('');
    else values[values.length - 1] += inner[at];
  }
  if (values.length > 1 && values.at(-1) === '') values.pop();
  return values.map((value) => value.trim());
}

function paragraph(document, lines, at, depth) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() !== '') {
    const underline = UNDERLINE.exec(lines[end]);
    if (underline) {
      const text = lines.slice(at, end).map((line) => line.trim()).join('\n');
      return { html: headingOf(document, underline[1][0] === '=' ? 1 : 2, text), end: end + 1 };
    }
    if (interrupts(lines[end]) && depth < DEPTH_MAX) break;
    end += 1;
  }
  const text = lines.slice(at, end).map((line) => line.trimStart()).join('\n').trimEnd();
  return { html: `<p>${inline(text)}</p>\n`, end };
}

/** A line that ends a paragraph. Of numbered lists only those that begin at 1: a sentence may begin with a year. */
function interrupts(line) {
  if (HEADING.test(line) || FENCE.test(line) || RULE.test(line) || QUOTE.test(line)) return true;
  const item = ITEM.exec(line);
  return item !== null && (item[4] ?? '') !== '' && (item[3] === undefined || Number(item[3]) === 1);
}

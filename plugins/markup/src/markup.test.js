/** Native tests: node --test src. `quantum plugin build` writes the helper that they use to target/sdk. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Host } from '#quantum-sdk/testing';

import { actions } from './markup.js';

const html = (text) => new Host().run(actions, 'render-markdown', { text }).html;

const RENDERED = [
  ['', ''],
  ['a\nb  \nc\\\nd', '<p>a\nb<br>\nc<br>\nd</p>\n'],
  ['one\n\ntwo', '<p>one</p>\n<p>two</p>\n'],
  ['# A *b* #\n\nTitle\n===\nSub\n---', '<h1 id="a-b">A <em>b</em></h1>\n<h1 id="title">Title</h1>\n<h2 id="sub">Sub</h2>\n'],
  ['*a* _b_ **c** __d__ ***e*** ~~f~~', '<p><em>a</em> <em>b</em> <strong>c</strong> <strong>d</strong> <em><strong>e</strong></em> <del>f</del></p>\n'],
  ['snake_case_name, 2 * 3 * 4, **a*', '<p>snake_case_name, 2 * 3 * 4, *<em>a</em></p>\n'],
  ['**a *b* c**', '<p><strong>a <em>b</em> c</strong></p>\n'],
  ['\\*a\\* `*b*` ``a`b`` `c', '<p>*a* <code>*b*</code> <code>a`b</code> `c</p>\n'],
  ['[a *b*](/x "t") ![i](y.png) <https://z.example> <me@z.example>', '<p><a href="/x" title="t">a <em>b</em></a> <img src="y.png" alt="i"> <a href="https://z.example">https://z.example</a> <a href="mailto:me@z.example">me@z.example</a></p>\n'],
  ['[a](b(c)d) [x] [y](', '<p><a href="b(c)d">a</a> [x] [y](</p>\n'],
  ['> a\nb\n> - c\n\nd', '<blockquote>\n<p>a\nb</p>\n<ul>\n<li>c</li>\n</ul>\n</blockquote>\n<p>d</p>\n'],
  ['- a\n- b\n  - c\n\n1. x\n2. y', '<ul>\n<li>a</li>\n<li>b\n<ul>\n<li>c</li>\n</ul>\n</li>\n</ul>\n<ol>\n<li>x</li>\n<li>y</li>\n</ol>\n'],
  ['3. a\n\n   b\n4. c', '<ol start="3">\n<li>\n<p>a</p>\n<p>b</p>\n</li>\n<li>\n<p>c</p>\n</li>\n</ol>\n'],
  ['in\n2024. it was', '<p>in\n2024. it was</p>\n'],
  ['```js\nlet a = "<b>";\n\n```\nafter', '<pre><code class="language-js">let a = &quot;&lt;b&gt;&quot;;\n\n</code></pre>\n<p>after</p>\n'],
  ['~~~\nno end', '<pre><code>no end\n</code></pre>\n'],
  ['| a | n |\n|:--|--:|\n| `x` \\| y | 1 |\n| z |', '<table>\n<thead>\n<tr><th style="text-align:left">a</th><th style="text-align:right">n</th></tr>\n</thead>\n<tbody>\n<tr><td style="text-align:left"><code>x</code> | y</td><td style="text-align:right">1</td></tr>\n<tr><td style="text-align:left">z</td><td style="text-align:right"></td></tr>\n</tbody>\n</table>\n'],
  ['***\n- - -\n___', '<hr>\n<hr>\n<hr>\n'],
];

test('markdown is rendered', () => {
  for (const [text, expected] of RENDERED) assert.equal(html(text), expected, JSON.stringify(text));
});

test('nothing that a text says becomes markup or a script', () => {
  for (const [text, expected] of [
    ['<script>alert(1)</script>', '<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n'],
    ['[a](javascript:alert(1)) [b](<java\tscript:x>) [c](DATA:text/html,x)', '<p>a b c</p>\n'],
    ['![x"><b>](javascript:x)', '<p>x&quot;&gt;&lt;b&gt;</p>\n'],
    ['[a](/x"onclick=b)', '<p><a href="/x&quot;onclick=b">a</a></p>\n'],
    ['```"><b>\n```', '<pre><code class="language-&quot;&gt;&lt;b&gt;"></code></pre>\n'],
  ]) {
    assert.equal(html(text), expected, text);
  }
});

test('headings are told, and their ids are used once', () => {
  const text = '# Über *uns* & mehr\n\n## A\n\n## A\n\n### !';
  assert.deepEqual(new Host().run(actions, 'render-markdown', { text }).headings, [
    { level: 1, text: 'Über uns & mehr', id: 'über-uns-mehr' },
    { level: 2, text: 'A', id: 'a' },
    { level: 2, text: 'A', id: 'a-1' },
    { level: 3, text: '!', id: 'section' },
  ]);
});

test('texts that mean harm take no longer than others', () => {
  for (const piece of ['[', '*a ', '`a``', '> ', '- ', '![', '<', '_a*', '|', '~~a ', '*_']) {
    assert.ok(html(piece.repeat(10_000)).length > 0, piece);
    assert.ok(html(`${piece.repeat(50)}\n`.repeat(200)).length > 0, piece);
  }
});

test('rows become a table that stands in line', () => {
  const rows = [{ service: 'web', p50: 12.5 }, { service: 'a|b\nc', p50: 7, note: true }, {}];
  const lines = [
    '| service |  p50 | note |',
    '| ------- | ---: | ---- |',
    '| web     | 12.5 |      |',
    '| a\\|b c  |    7 | true |',
    '|         |      |      |',
  ];
  assert.equal(new Host().run(actions, 'markdown-table', { rows }).text, `${lines.join('\n')}\n`);
  const some = new Host().run(actions, 'markdown-table', { rows: rows.slice(0, 1), columns: ['p50'] });
  assert.equal(some.text, '|  p50 |\n| ---: |\n| 12.5 |\n');
  assert.throws(() => new Host().run(actions, 'markdown-table', { rows: [{}] }), { code: 'no-columns' });
});

test('a table of rows is rendered as one', () => {
  const { text } = new Host().run(actions, 'markdown-table', { rows: [{ a: '|', n: 1 }] });
  assert.match(html(text), /<td>\|<\/td><td style="text-align:right">1<\/td>/);
});

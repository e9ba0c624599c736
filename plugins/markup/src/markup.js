/** Texts for people: Markdown to HTML that is safe to show, and tables in Markdown. */

import { Failure } from '#quantum-sdk';

import { render } from './blocks.js';
import { table } from './table.js';

export const actions = {
  'render-markdown': (ctx, { text }) => {
    const { html, headings } = render(text);
    ctx.log.info('rendered', { characters: text.length, headings: headings.length });
    const title = headings.find((heading) => heading.level === 1)?.text ?? null;
    return { html, title, headings };
  },

  'markdown-table': (ctx, p) => {
    const columns = p.columns ?? [...new Set(p.rows.flatMap((row) => Object.keys(row)))];
    if (columns.length === 0) {
      throw Failure.permanent('no-columns', 'there are no columns: name them, or give rows that have some');
    }
    return { text: table(columns, p.rows) };
  },
};

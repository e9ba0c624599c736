/** Rows as a table in Markdown, readable as it stands. */

/** Columns in this order; a value that a row does not have is left empty. */
export function table(columns, rows) {
  const cells = rows.map((row) => columns.map((column) => cell(row[column])));
  const numeric = columns.map((column) => rows.some((row) => column in row) && rows.every((row) => isNumber(row[column])));
  const header = columns.map(cell);
  const widths = columns.map((_, at) => Math.max(3, ...[header, ...cells].map((line) => [...line[at]].length)));
  const line = (values) => `| ${values.map((value, at) => pad(value, widths[at], numeric[at])).join(' | ')} |`;
  const rule = widths.map((width, at) => (numeric[at] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return `${[line(header), line(rule), ...cells.map(line)].join('\n')}\n`;
}

function isNumber(value) {
  return typeof value === 'number' || value === undefined || value === null;
}

function pad(text, width, right) {
  const space = ' '.repeat(Math.max(0, width - [...text].length));
  return right ? space + text : text + space;
}

/** One line, and nothing in it ends the cell. */
function cell(value) {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replace(/\s*[\r\n]+\s*/g, ' ').trim();
}

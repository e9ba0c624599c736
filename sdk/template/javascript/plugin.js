/** {{title}}: counts the words of a text. */

import { Failure } from '#quantum-sdk';

export const actions = {
  '{{name}}': (ctx, { text, letters_min: lettersMin = 0 }) => {
    if (text.trim() === '') throw Failure.permanent('no-text', 'the text is empty');
    const words = (text.match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => [...word].length >= lettersMin);
    const longer = (longest, word) => (longest !== null && longest.length >= word.length ? longest : word);
    ctx.log.info('counted', { words: words.length });
    return { words: words.length, longest: words.reduce(longer, null) };
  },
};

"""{{title}}: counts the words of a text."""

import re

from quantum_sdk import Context, Failure, action, plugin


@action(name="{{name}}")
def count_words(ctx: Context, p: dict) -> dict:
    if not p["text"].strip():
        raise Failure.permanent("no-text", "the text is empty")
    words = [word for word in re.findall(r"[^\W_]+", p["text"]) if len(word) >= p.get("letters_min", 0)]
    ctx.log.info("counted", words=len(words))
    return {"words": len(words), "longest": max(words, key=len, default=None)}


Actions = plugin(count_words)

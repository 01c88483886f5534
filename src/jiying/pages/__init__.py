"""The shared look: frame, tokens, components, words, sign-in, the front page and the language switch."""

"""The JSON of a tokenizer (huggingface/tokenizers, `tokenizer.json`, version 1.0), as a schema: every part by name.

Tokens and patterns are any characters, so they cross as escapes of ASCII. A part that is not named here is refused.
"""

from __future__ import annotations

from typing import Final

from casemate.transfer.guard.schema import (
    Choice,
    Each,
    Fields,
    Flag,
    Map,
    Maybe,
    Number,
    Row,
    Shape,
    Text,
    TextOr,
    Variants,
    Whole,
)

__all__ = ["TOKENIZER"]

_TOKENS = 600_000
_WORD = Text(most=2_000, raw=True)
_TOKEN = Text(most=500, raw=True)
_CHARSMAP = Text(most=4_000_000, raw=True)
_YES = Flag()
_ID = Whole(0, 1 << 24)
_SIDE = Choice(("Left", "Right"))
_PATTERN = Fields({"String": _WORD, "Regex": _WORD}, optional=("String", "Regex"))
_VOCABULARY = Map(_ID, _TOKEN, _TOKENS)


_Part = tuple[dict[str, Shape], tuple[str, ...]]


def _named(name: str, fields: dict[str, Shape], optional: tuple[str, ...] = ()) -> Fields:
    return Fields({"type": Choice((name,)), **fields}, optional)


def _each(named: dict[str, _Part]) -> dict[str, Fields]:
    return {name: _named(name, fields, optional) for name, (fields, optional) in named.items()}


def _in_sequence(parts: dict[str, Fields], field: str) -> Variants:
    """The parts, and a sequence of them, itself without a sequence."""
    return Variants({**parts, "Sequence": _named("Sequence", {field: Each(Variants(parts), 32)})})


_BYTE_LEVEL: Final[_Part] = (
    {"add_prefix_space": _YES, "trim_offsets": _YES, "use_regex": _YES},
    ("add_prefix_space", "trim_offsets", "use_regex"),
)
_METASPACE: Final[_Part] = (
    {
        "replacement": _TOKEN,
        "prepend_scheme": Choice(("always", "first", "never")),
        "split": _YES,
        "add_prefix_space": _YES,
        "str_rep": _TOKEN,
    },
    ("prepend_scheme", "split", "add_prefix_space", "str_rep"),
)
_BEHAVIOUR: Final = Choice(("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"))
_NORMALIZERS = _each(
    {
        **{name: ({}, ()) for name in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Nmt", "StripAccents", "ByteLevel")},
        "BertNormalizer": (
            {"clean_text": _YES, "handle_chinese_chars": _YES, "strip_accents": Maybe(_YES), "lowercase": _YES},
            (),
        ),
        "Strip": ({"strip_left": _YES, "strip_right": _YES}, ()),
        "Prepend": ({"prepend": _WORD}, ()),
        "Replace": ({"pattern": _PATTERN, "content": _WORD}, ()),
        "Precompiled": ({"precompiled_charsmap": Maybe(_CHARSMAP)}, ()),
    }
)
_PRE = _each(
    {
        **{name: ({}, ()) for name in ("BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts")},
        "ByteLevel": _BYTE_LEVEL,
        "Metaspace": _METASPACE,
        "Punctuation": ({"behavior": _BEHAVIOUR}, ("behavior",)),
        "Digits": ({"individual_digits": _YES}, ()),
        "Split": ({"pattern": _PATTERN, "behavior": _BEHAVIOUR, "invert": _YES}, ("invert",)),
        "CharDelimiterSplit": ({"delimiter": _TOKEN}, ()),
    }
)
_PAIR = Row((_TOKEN, _ID))
_PIECE = Fields(
    {
        "Sequence": Fields({"id": Choice(("A", "B")), "type_id": _ID}),
        "SpecialToken": Fields({"id": _TOKEN, "type_id": _ID}),
    },
    optional=("Sequence", "SpecialToken"),
)
_SPECIAL = Fields({"id": _TOKEN, "ids": Each(_ID, 64), "tokens": Each(_TOKEN, 64)})
_POST = _each(
    {
        "BertProcessing": ({"sep": _PAIR, "cls": _PAIR}, ()),
        "RobertaProcessing": ({"sep": _PAIR, "cls": _PAIR, "trim_offsets": _YES, "add_prefix_space": _YES}, ()),
        "ByteLevel": _BYTE_LEVEL,
        "TemplateProcessing": (
            {"single": Each(_PIECE, 64), "pair": Each(_PIECE, 64), "special_tokens": Map(_SPECIAL, _TOKEN, 256)},
            (),
        ),
    }
)
_DECODERS = _each(
    {
        **{name: ({}, ()) for name in ("Fuse", "ByteFallback")},
        "BPEDecoder": ({"suffix": _TOKEN}, ()),
        "ByteLevel": _BYTE_LEVEL,
        "WordPiece": ({"prefix": _TOKEN, "cleanup": _YES}, ()),
        "Metaspace": _METASPACE,
        "CTC": ({"pad_token": _TOKEN, "word_delimiter_token": _TOKEN, "cleanup": _YES}, ()),
        "Replace": ({"pattern": _PATTERN, "content": _WORD}, ()),
        "Strip": ({"content": _TOKEN, "start": _ID, "stop": _ID}, ()),
    }
)
_MODEL = Variants(
    _each(
        {
            "BPE": (
                {
                    "dropout": Maybe(Number()),
                    "unk_token": Maybe(_TOKEN),
                    "continuing_subword_prefix": Maybe(_TOKEN),
                    "end_of_word_suffix": Maybe(_TOKEN),
                    "fuse_unk": _YES,
                    "byte_fallback": _YES,
                    "ignore_merges": _YES,
                    "vocab": _VOCABULARY,
                    "merges": Each(TextOr(_WORD, Row((_TOKEN, _TOKEN))), _TOKENS),
                },
                (
                    "byte_fallback",
                    "ignore_merges",
                    "fuse_unk",
                    "dropout",
                    "unk_token",
                    "continuing_subword_prefix",
                    "end_of_word_suffix",
                ),
            ),
            "WordPiece": (
                {
                    "unk_token": _TOKEN,
                    "continuing_subword_prefix": _TOKEN,
                    "max_input_chars_per_word": _ID,
                    "vocab": _VOCABULARY,
                },
                (),
            ),
            "WordLevel": ({"vocab": _VOCABULARY, "unk_token": _TOKEN}, ()),
            "Unigram": (
                {"unk_id": Maybe(_ID), "vocab": Each(Row((_TOKEN, Number())), _TOKENS), "byte_fallback": _YES},
                ("byte_fallback",),
            ),
        }
    )
)
_ADDED = Fields(
    {
        "id": _ID,
        "content": _TOKEN,
        **dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), _YES),
    }
)
_TRUNCATION = Fields(
    {
        "direction": _SIDE,
        "max_length": _ID,
        "strategy": Choice(("LongestFirst", "OnlyFirst", "OnlySecond")),
        "stride": _ID,
    },
    optional=("direction",),
)
_PADDING = Fields(
    {
        "strategy": TextOr(Choice(("BatchLongest",)), Fields({"Fixed": _ID})),
        "direction": _SIDE,
        "pad_to_multiple_of": Maybe(_ID),
        "pad_id": _ID,
        "pad_type_id": _ID,
        "pad_token": _TOKEN,
    }
)
TOKENIZER: Final = Fields(
    {
        "version": Choice(("1.0",)),
        "truncation": Maybe(_TRUNCATION),
        "padding": Maybe(_PADDING),
        "added_tokens": Each(_ADDED, 10_000),
        "normalizer": Maybe(_in_sequence(_NORMALIZERS, "normalizers")),
        "pre_tokenizer": Maybe(_in_sequence(_PRE, "pretokenizers")),
        "post_processor": Maybe(_in_sequence(_POST, "processors")),
        "decoder": Maybe(_in_sequence(_DECODERS, "decoders")),
        "model": _MODEL,
    }
)

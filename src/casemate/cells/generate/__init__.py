"""The generation cell: a prompt in, pieces of an answer out, in a process that can reach nothing else.

    Ready                                once, when the weights are loaded
    {ask} -> Began, Piece, Piece, ...    the last Piece has a finish; a refusal is one Piece with a failure
    {stop}                               while it answers: it ends at the next token

It keeps nothing between two prompts: each has its own generator, so no prefix of one is ever found again by another
(tests/engines/test_onnx_chat.py). Control tokens come from the model's own template alone, never from a prompt's words.
"""

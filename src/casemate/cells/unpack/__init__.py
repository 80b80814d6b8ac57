"""Makes a tree of the files of wheels or of an image, as a program in a job's sandbox; the standard library only.

    python -I -m casemate.cells.unpack wheels /in/environment /out/tree
    python -I -m casemate.cells.unpack image /in/environment /out/tree

It must never write outside the tree, keep a device or a right that only root may give, or run what it unpacks.
"""

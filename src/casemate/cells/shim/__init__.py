"""The program around every job, on every engine: claims the folder, shuts the job in, runs it, says how it ended.

    python -I -S -E PATH/__main__.py FOLDER     one attempt
    python -I -S -E PATH/__main__.py --pool     a warm server on descriptor 0 that forks one for each folder it is sent

It knows the standard library and the folder (docs/bytes/job-folder.md), and nothing of labels, people or the region. It
may never run a job less isolated than its order says: what cannot be isolated is not run. Each import is paid for by
every job that is started cold, so there are few of them.
"""

"""Files that are made while nobody waits for them: jobs, their order and their folder.

A job lies in a folder with everything that is known of it, so that each of several processes can
answer for it, and take the next one. What is made, and how, is the business of whoever begins one.
"""

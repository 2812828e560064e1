"""Portal: the public page of every commune: released bulletins, text and sound.

Owns pages anybody may read without signing in. It shows, it never decides.
"""

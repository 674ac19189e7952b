"""How does a user LM, or an assistant, learn?"""

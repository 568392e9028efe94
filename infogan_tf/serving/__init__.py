"""Taking a trained model to where it is used.

`export` and `model_card` need TensorFlow; `client`, which asks a server, does not.
"""

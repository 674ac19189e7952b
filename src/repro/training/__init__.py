"""How does a user LM, or an assistant, learn?"""

from repro.training.user_lm import train_user_lm
from repro.training.user_recipes import UserLMRecipe, load_recipe

__all__ = ["UserLMRecipe", "load_recipe", "train_user_lm"]

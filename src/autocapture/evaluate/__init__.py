"""How often matching is right: worlds with a known truth, the product and the public baselines put to them, the figures."""

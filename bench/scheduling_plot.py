def draw(title, daemon): return ""

"""What others wrote, made safe for Markdown, HTML and a terminal."""

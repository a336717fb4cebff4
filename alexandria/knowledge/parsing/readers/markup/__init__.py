"""Text with marks: HTML pages, OneNote pages and Markdown.

What a reader of another format turns into HTML is read here as well.
"""

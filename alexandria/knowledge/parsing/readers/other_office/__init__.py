"""Office files that are none of Microsoft's XML formats: RTF, XLS, OpenDocument and older ones."""

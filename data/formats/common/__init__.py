"""What several formats share: offsets, lines, spans, archives, XML."""

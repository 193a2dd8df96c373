// Tests run on the bundled software driver, so that they give the same answers everywhere; BYTE_TO_LOSS_DEVICE takes another.
process.env.BYTE_TO_LOSS_DEVICE ||= 'bundled';

//! Images with words, in a font of five by seven dots, and files that hold them.

use std::io::Write;

/// Dots of a letter's side.
const SCALE: usize = 4;
const MARGIN: usize = 20;

/// Grey pixels, rows from the top.
pub(crate) struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

fn letter(letter: char) -> [&'static str; 7] {
    match letter {
        'A' => [" ### ", "#   #", "#   #", "#####", "#   #", "#   #", "#   #"],
        'D' => ["#### ", "#   #", "#   #", "#   #", "#   #", "#   #", "#### "],
        'E' => ["#####", "#    ", "#    ", "#### ", "#    ", "#    ", "#####"],
        'F' => ["#####", "#    ", "#    ", "#### ", "#    ", "#    ", "#    "],
        'I' => [" ### ", "  #  ", "  #  ", "  #  ", "  #  ", "  #  ", " ### "],
        'L' => ["#    ", "#    ", "#    ", "#    ", "#    ", "#    ", "#####"],
        'R' => ["#### ", "#   #", "#   #", "#### ", "# #  ", "#  # ", "#   #"],
        'S' => [" ####", "#    ", "#    ", " ### ", "    #", "    #", "#### "],
        'T' => ["#####", "  #  ", "  #  ", "  #  ", "  #  ", "  #  ", "  #  "],
        ' ' => ["     "; 7],
        other => panic!("no letter {other} in this font"),
    }
}

impl Picture {
    pub(crate) fn blank(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            pixels: vec![255; width * height],
        }
    }

    pub(crate) fn of(lines: &[&str]) -> Self {
        let longest = lines.iter().map(|line| line.len()).max().expect("a line").max(10);
        let mut picture = Self::blank(longest * 6 * SCALE + 2 * MARGIN, lines.len() * 12 * SCALE + 2 * MARGIN);
        for (row, line) in lines.iter().enumerate() {
            for (column, one) in line.chars().enumerate() {
                picture.draw(one, MARGIN + column * 6 * SCALE, MARGIN + row * 12 * SCALE);
            }
        }
        picture
    }

    fn draw(&mut self, one: char, left: usize, top: usize) {
        for (y, row) in letter(one).iter().enumerate() {
            for (x, _) in row.chars().enumerate().filter(|(_, dot)| *dot == '#') {
                for line in 0..SCALE {
                    let start = (top + y * SCALE + line) * self.width + left + x * SCALE;
                    self.pixels[start..start + SCALE].fill(0);
                }
            }
        }
    }

    fn side(length: usize) -> u32 {
        u32::try_from(length).expect("small")
    }

    /// 8 bits of grey, one IDAT, no filter.
    pub(crate) fn png(&self) -> Vec<u8> {
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        for row in self.pixels.chunks(self.width) {
            packer.write_all(&[0]).expect("memory");
            packer.write_all(row).expect("memory");
        }
        let packed = packer.finish().expect("memory");
        let mut header = Self::side(self.width).to_be_bytes().to_vec();
        header.extend(Self::side(self.height).to_be_bytes());
        header.extend([8, 0, 0, 0, 0]);
        let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
        for (kind, data) in [(b"IHDR", &header), (b"IDAT", &packed), (b"IEND", &Vec::new())] {
            out.extend(Self::side(data.len()).to_be_bytes());
            let start = out.len();
            out.extend(kind);
            out.extend(data);
            let mut crc = flate2::Crc::new();
            crc.update(&out[start..]);
            out.extend(crc.sum().to_be_bytes());
        }
        out
    }

    /// 24 bits, rows from the bottom.
    pub(crate) fn bmp(&self) -> Vec<u8> {
        let mut rows = Vec::new();
        for row in self.pixels.chunks(self.width).rev() {
            rows.extend(row.iter().flat_map(|grey| [*grey; 3]));
            rows.resize(rows.len().next_multiple_of(4), 0);
        }
        let mut out = b"BM".to_vec();
        out.extend(Self::side(54 + rows.len()).to_le_bytes());
        out.extend([0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0]);
        out.extend(Self::side(self.width).to_le_bytes());
        out.extend(Self::side(self.height).to_le_bytes());
        out.extend([1, 0, 24, 0, 0, 0, 0, 0]);
        out.extend(Self::side(rows.len()).to_le_bytes());
        out.extend([0; 16]);
        out.extend(rows);
        out
    }
}

/// A TIFF with one strip of grey pixels a page.
pub(crate) fn tiff(pages: &[&Picture]) -> Vec<u8> {
    let mut out = b"II*\0\0\0\0\0".to_vec();
    let mut link = 4;
    for page in pages {
        let strip = Picture::side(out.len());
        out.extend(&page.pixels);
        out.resize(out.len().next_multiple_of(2), 0);
        let here = Picture::side(out.len());
        out[link..link + 4].copy_from_slice(&here.to_le_bytes());
        let entries: [(u16, u32); 9] = [
            (256, Picture::side(page.width)),
            (257, Picture::side(page.height)),
            (258, 8),
            (259, 1),
            (262, 1),
            (273, strip),
            (277, 1),
            (278, Picture::side(page.height)),
            (279, Picture::side(page.pixels.len())),
        ];
        out.extend(9_u16.to_le_bytes());
        for (tag, value) in entries {
            out.extend(tag.to_le_bytes());
            out.extend([4, 0, 1, 0, 0, 0]);
            out.extend(value.to_le_bytes());
        }
        link = out.len();
        out.extend([0; 4]);
    }
    out
}

/// A page of a PDF.
pub(crate) enum Page<'a> {
    Image(&'a Picture),
    Text(&'a str),
}

/// A PDF with a page each.
pub(crate) fn pdf(pages: &[Page<'_>]) -> Vec<u8> {
    let mut objects: Vec<Vec<u8>> = vec![b"<</Type/Catalog/Pages 2 0 R>>".to_vec()];
    let kids: Vec<String> = (0..pages.len()).map(|page| format!("{} 0 R", 4 + page * 3)).collect();
    objects.push(format!("<</Type/Pages/Count {}/Kids[{}]>>", pages.len(), kids.join(" ")).into_bytes());
    objects.push(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_vec());
    for (number, page) in pages.iter().enumerate() {
        let (content, image) = (5 + number * 3, 6 + number * 3);
        objects.push(
            format!(
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents {content} 0 R\
                 /Resources<</Font<</F 3 0 R>>/XObject<</I {image} 0 R>>>>>>"
            )
            .into_bytes(),
        );
        let stream = |head: &str, data: &[u8]| {
            let mut object = format!("<<{head}/Length {}>>stream\n", data.len()).into_bytes();
            object.extend(data);
            object.extend(b"\nendstream");
            object
        };
        match page {
            Page::Image(picture) => {
                let (width, height) = (picture.width * 3 / 4, picture.height * 3 / 4);
                objects.push(stream(
                    "",
                    format!("q {width} 0 0 {height} 10 50 cm /I Do Q").as_bytes(),
                ));
                let head = format!(
                    "/Type/XObject/Subtype/Image/Width {}/Height {}/ColorSpace/DeviceGray/BitsPerComponent 8",
                    picture.width, picture.height
                );
                objects.push(stream(&head, &picture.pixels));
            }
            Page::Text(text) => {
                objects.push(stream("", format!("BT /F 10 Tf 20 100 Td ({text}) Tj ET").as_bytes()));
                objects.push(b"null".to_vec());
            }
        }
    }
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(out.len());
        out.extend(format!("{} 0 obj\n", number + 1).bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let start = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for place in places {
        out.extend(format!("{place:010} 00000 n \n").bytes());
    }
    out.extend(
        format!(
            "trailer<</Size {}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n",
            objects.len() + 1
        )
        .bytes(),
    );
    out
}

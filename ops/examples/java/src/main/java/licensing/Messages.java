package licensing;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.JsonEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.avro.message.SchemaStore;

/**
 * The messages of licensing in Java: all that it takes is Apache Avro and the folder schemas/avro.
 *
 * <p>Reads lines `encode FILE JSON` (the file of the schema, a record in Avro's JSON) and answers with the bytes in hex, or
 * `decode HEX` and answers with the schema's name and the record: Messages FOLDER.
 */
public final class Messages {
  private final Path folder;
  private final SchemaStore.Cache schemas = new SchemaStore.Cache();

  private Messages(Path folder) throws IOException {
    this.folder = folder;
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        schemas.addSchema(schema(file)); // by fingerprint: whatever release wrote a message, it is found
      }
    }
  }

  private static Schema schema(Path file) throws IOException {
    return new Schema.Parser().parse(file.toFile());
  }

  private byte[] encode(String file, String json) throws IOException {
    Schema schema = schema(folder.resolve(file));
    GenericRecord record =
        new GenericDatumReader<GenericRecord>(schema).read(null, DecoderFactory.get().jsonDecoder(schema, json));
    ByteBuffer bytes = new BinaryMessageEncoder<GenericRecord>(GenericData.get(), schema).encode(record);
    byte[] message = new byte[bytes.remaining()];
    bytes.get(message);
    return message;
  }

  private GenericRecord decode(byte[] message) throws IOException {
    long fingerprint = ByteBuffer.wrap(message, 2, 8).order(java.nio.ByteOrder.LITTLE_ENDIAN).getLong();
    Schema written = schemas.findByFingerprint(fingerprint);
    return new BinaryMessageDecoder<GenericRecord>(GenericData.get(), written, schemas).decode(message);
  }

  private static String json(GenericRecord record) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    JsonEncoder encoder = EncoderFactory.get().jsonEncoder(record.getSchema(), out);
    new GenericDatumWriter<GenericRecord>(record.getSchema()).write(record, encoder);
    encoder.flush();
    return out.toString(StandardCharsets.UTF_8);
  }

  private String answer(List<String> words) throws IOException {
    if (words.get(0).equals("encode")) {
      return HexFormat.of().formatHex(encode(words.get(1), words.get(2)));
    }
    GenericRecord record = decode(HexFormat.of().parseHex(words.get(1)));
    return record.getSchema().getName() + " " + json(record);
  }

  public static void main(String[] arguments) throws IOException {
    Messages messages = new Messages(Path.of(arguments[0]));
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(messages.answer(List.of(line.split(" ", 3))));
    }
  }
}

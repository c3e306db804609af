// What Java's decoders make of gzip answers.
// Arguments: base URL, names of answers. Out, a line each: decoder, answer, SHA-256 of what was decoded or "refused".
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.GZIPInputStream;

public final class Read {
    private interface Opener {
        InputStream open(URI address) throws Exception;
    }

    private static InputStream openConnection(URI address) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) address.toURL().openConnection();
        connection.setRequestProperty("Accept-Encoding", "gzip");
        return connection.getInputStream();
    }

    private static InputStream openByClient(URI address) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(address).header("Accept-Encoding", "gzip").build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofInputStream()).body();
    }

    private static String decoded(Opener opener, URI address) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        try (InputStream in = new DigestInputStream(new GZIPInputStream(opener.open(address)), digest)) {
            in.transferTo(java.io.OutputStream.nullOutputStream());
        } catch (IOException e) {
            return "refused";
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, Opener> decoders = new LinkedHashMap<>();
        decoders.put("java-url-connection", Read::openConnection);
        decoders.put("java-http-client", Read::openByClient);
        for (Map.Entry<String, Opener> decoder : decoders.entrySet()) {
            for (int index = 1; index < arguments.length; index++) {
                URI address = URI.create(arguments[0] + "/answer/" + arguments[index]);
                System.out.println(decoder.getKey() + " " + arguments[index] + " " + decoded(decoder.getValue(), address));
            }
        }
    }
}
